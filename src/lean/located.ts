import type { Problem } from "../errors/problem.ts";
import type { Source } from "./source.ts";

/** A parsed file that remembers where everything in it stands, for rules that are checked later. */
export type Located<T> = { readonly value: T; readonly source: Source };
/** Either the value, or every problem that was found on the way. */
export type Parsed<T> = { readonly ok: true; readonly located: Located<T> } | { readonly ok: false; readonly problems: readonly Problem[] };

export const failed = (problems: readonly Problem[]): { readonly ok: false; readonly problems: readonly Problem[] } => ({ ok: false, problems });
