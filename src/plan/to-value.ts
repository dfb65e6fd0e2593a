import { defined } from "./defined.ts";
import type { SecretRef, Value } from "./model.ts";

type Ref = { readonly env: string; readonly default?: string | undefined } | { readonly file: string };

/** Where a value that must not stand in a file comes from. */
export const toSecret = (ref: Ref): SecretRef =>
  "env" in ref ? defined({ env: ref.env, default: ref.default }) : { file: ref.file };

export const toValue = (value: string | Ref): Value => (typeof value === "string" ? value : toSecret(value));
