/** A column of a row as text; what is null is the fallback. */
export const textOf = (value: unknown, fallback: string): string => {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : fallback;
};
