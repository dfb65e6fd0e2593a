import type { Problem } from "../errors/problem.ts";
import type { Source } from "./source/source.ts";

/** A value with the file that it came from, so that rules can point into it. */
export type Located<T> = { readonly value: T; readonly source: Source };

/** A file that was understood, or everything that is wrong with it, in the order of the file. */
export type Parsed<T> =
  | { readonly ok: true; readonly located: Located<T> }
  | { readonly ok: false; readonly problems: readonly Problem[] };
