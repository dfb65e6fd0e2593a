/** A request as users sent it: any JSON object. Fields that nobody knows are ignored. */
export type Fields = Readonly<Record<string, unknown>>;

/** The text of a field; "" when it is missing. Clients send some numbers as numbers. */
export const textOf = (fields: Fields, name: string): string => {
  const value = fields[name];
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
};

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Parses JSON; `undefined` for text that is none. */
export const readJson = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
};
