import { defined } from "./defined.ts";
import type { SecretRef, Value } from "./model.ts";

export type RefInput = { readonly env: string; readonly default?: string | undefined } | { readonly file: string };

/** Where a value comes from that must not stand in a file. */
export const toSecret = (ref: RefInput): SecretRef =>
  "env" in ref ? defined({ env: ref.env, default: ref.default }) : { file: ref.file };

export const toValue = (value: string | RefInput): Value => (typeof value === "string" ? value : toSecret(value));
