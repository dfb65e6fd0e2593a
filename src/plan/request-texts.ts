import type { HttpOperation, HttpProbe } from "./model.ts";
import type { Path } from "./source/source.ts";
import { parseTemplate, placeholdersOf } from "./template.ts";

/** A text of a request that may hold placeholders, and where it stands. */
export type PlacedText = { readonly text: string; readonly path: Path };

/** Placeholders that every request knows: a fresh id, the time in UTC and in ms since the epoch, and the cohort. */
export const BUILT_IN = ["id", "now", "nowMs", "cohort"] as const;

/** Texts of an operation's own request, and of the one that shows that it was executed. */
export function textsOf(
  { path: target, headers, body, shown }: HttpOperation,
  path: Path,
): { readonly request: readonly PlacedText[]; readonly proof: readonly PlacedText[] } {
  return {
    request: [
      { text: target, path: [...path, "path"] },
      ...ofHeaders(headers, path),
      ...(body === undefined
        ? []
        : body.kind === "text"
          ? [{ text: body.text, path: [...path, "body", "text"] }]
          : inJson(body.value, [...path, "body", "json"])),
    ],
    proof:
      shown === undefined
        ? []
        : [
            { text: shown.path, path: [...path, "shown", "path"] },
            ...ofHeaders(shown.headers, [...path, "shown"]),
            { text: shown.is, path: [...path, "shown", "is"] },
          ],
  };
}

const ofHeaders = (headers: HttpOperation["headers"], path: Path): readonly PlacedText[] =>
  Object.entries(headers).map(([name, text]) => ({ text, path: [...path, "headers", name] }));

const inJson = (value: unknown, path: Path): readonly PlacedText[] => {
  if (typeof value === "string") return [{ text: value, path }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    inJson(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
};

/** Placeholders that only a cohort can give a value for. */
export function cohortKeysOf({ headers, operations, values }: HttpProbe): readonly string[] {
  const known = new Set<string>([
    ...BUILT_IN,
    ...Object.keys(values),
    ...operations.flatMap(({ name, keep }) => [`${name}.id`, ...Object.keys(keep)]),
  ]);
  const texts = operations.flatMap((operation) => {
    const { request, proof } = textsOf(operation, []);
    return [...request, ...proof].map(({ text }) => text);
  });
  const named = [...Object.values(headers), ...texts].flatMap((text) => {
    const parsed = parseTemplate(text);
    return parsed.kind === "read" ? placeholdersOf(parsed.template) : [];
  });
  return [...new Set(named)].filter((name) => !known.has(name));
}
