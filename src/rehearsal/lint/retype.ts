/** What ALTER COLUMN TYPE does to the rows. `none` is sure, `rewrite` is sure, `unknown` is left to the trial. */
export type Retyped = "none" | "rewrite" | "unknown";

/** From one type to another, as far as the names tell. `before` is undefined where no file here says it. */
export function retype(before: string | undefined, after: string): Retyped {
  const to = split(after);
  // To these nothing but the same type comes without new bytes.
  if (before === undefined) return FIXED.has(to.base) && to.mods.length === 0 ? "rewrite" : "unknown";
  const from = split(before);
  if (from.base === to.base) return isNoNarrower(from, to) ? "none" : "rewrite";
  return isBinaryCoercible(from, to) ? "none" : known(from) && known(to) ? "rewrite" : "unknown";
}

const FIXED = new Set(["int2", "int4", "int8", "float4", "float8", "uuid", "jsonb", "json", "bool", "date", "bytea"]);
const KNOWN = new Set([...FIXED, "text", "varchar", "bpchar", "numeric", "timestamp", "timestamptz", "time"]);

type Split = { readonly base: string; readonly mods: readonly number[] };

function split(type: string): Split {
  const [, base = type, mods] = /^([^(]+)(?:\(([\d,]+)\))?$/.exec(type) ?? [];
  return { base, mods: mods === undefined ? [] : mods.split(",").map(Number) };
}

const known = ({ base }: Split): boolean => KNOWN.has(base);

/** A limit that grows or goes away leaves the rows; another scale changes them. */
function isNoNarrower(from: Split, to: Split): boolean {
  if (to.base === "bpchar") return String(from.mods) === String(to.mods);
  if (to.mods.length === 0) return true;
  if (from.mods.length === 0) return false;
  const [size = 0, scale = 0] = from.mods;
  const [newSize = 0, newScale = 0] = to.mods;
  return newSize >= size && (to.base !== "numeric" || newScale === scale);
}

const isBinaryCoercible = (from: Split, to: Split): boolean =>
  (from.base === "varchar" && to.base === "text") ||
  (from.base === "text" && to.base === "varchar" && to.mods.length === 0);
