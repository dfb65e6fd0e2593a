import { Bug } from "../errors/bug.ts";

/** Where in a JSON text a value stands: `data[0].sCode` is `["data", 0, "sCode"]`. */
export type JsonPath = readonly (string | number)[];

export type ParsedJsonPath =
  | { readonly kind: "read"; readonly path: JsonPath }
  | { readonly kind: "wrong"; readonly at: number; readonly length: number; readonly why: string };

/** Names with dots between them, `[0]` for items of a list, `["odd name"]` for any other name. A leading `$` is allowed. */
export function parseJsonPath(text: string): ParsedJsonPath {
  const path: (string | number)[] = [];
  let at = /^\$(?=[.[])/.test(text) ? 1 : 0;
  while (at < text.length) {
    const step = stepOf(text.slice(at), at === 0);
    if (step === undefined) return { kind: "wrong", at, length: 1, why: whyNot(text.slice(at)) };
    path.push(step.key);
    at += step.length;
  }
  return path.length === 0 ? { kind: "wrong", at: 0, length: 1, why: "it is empty" } : { kind: "read", path };
}

/** A path that the schema let through. Anything else is a `Bug`. */
export function jsonPathOf(text: string): JsonPath {
  const parsed = parseJsonPath(text);
  if (parsed.kind === "wrong") throw new Bug(`the JSON path ${text} passed the schema, but ${parsed.why}`);
  return parsed.path;
}

/** What stands there; undefined where nothing does. Never follows what an object inherits. */
export const valueAt = (value: unknown, path: JsonPath): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Readonly<Record<string | number, unknown>>)[key]
        : undefined,
    value,
  );

const FIRST = /^[A-Za-z_@][\w@-]*/;
const NAME = /^\.([A-Za-z_@][\w@-]*)/;
const INDEX = /^\[(\d{1,6})\]/;
const QUOTED = /^\["((?:[^"\\]|\\["\\])+)"\]/;

function stepOf(
  rest: string,
  isFirst: boolean,
): { readonly key: string | number; readonly length: number } | undefined {
  const first = isFirst ? FIRST.exec(rest) : NAME.exec(rest);
  if (first !== null) return { key: first[1] ?? first[0], length: first[0].length };
  const index = INDEX.exec(rest);
  if (index !== null) return { key: Number(index[1]), length: index[0].length };
  const quoted = QUOTED.exec(rest);
  return quoted === null
    ? undefined
    : { key: (quoted[1] ?? "").replaceAll(/\\(["\\])/g, "$1"), length: quoted[0].length };
}

function whyNot(rest: string): string {
  if (rest.startsWith(".")) return "no name follows this dot";
  if (rest.startsWith("[")) return 'brackets hold a number or a name in quotes: [0] or ["a name"]';
  return `${JSON.stringify(rest.slice(0, 1))} cannot stand here`;
}
