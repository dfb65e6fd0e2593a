import type { Node } from "libpg-query";

/** The fields of one kind of node. */
export type Of<K extends string> = Extract<Node, Record<K, unknown>> extends Record<K, infer T> ? T : never;
export type Constr = Of<"Constraint">;
export type Range = Of<"RangeVar">;

/** Calls `visit` with the kind and the fields of every node in the tree, from the outside in, in the order of the text. */
export function walk(tree: unknown, visit: (kind: string, fields: Readonly<Record<string, unknown>>) => void): void {
  // A sum of ten thousand terms is a tree as deep, so the way back is kept here and not on the stack.
  const left: unknown[] = [tree];
  while (left.length > 0) {
    const node = left.pop();
    if (Array.isArray(node)) for (let at = node.length - 1; at >= 0; at -= 1) left.push(node[at]);
    if (!isRecord(node)) continue;
    const [kind, fields] = kindOf(node);
    if (kind !== undefined) visit(kind, fields);
    for (const value of Object.values(fields).toReversed()) if (typeof value === "object") left.push(value);
  }
}

/** A node is an object with one key, its kind, in capitals; its fields are in small letters. */
function kindOf(
  node: Readonly<Record<string, unknown>>,
): readonly [string | undefined, Readonly<Record<string, unknown>>] {
  const [first] = Object.keys(node);
  const fields = first === undefined ? undefined : node[first];
  return first !== undefined && /^[A-Z]/.test(first) && isRecord(fields) ? [first, fields] : [undefined, node];
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The words of a list of String nodes. */
export const wordsOf = (nodes: readonly Node[] | undefined): readonly string[] =>
  (nodes ?? []).flatMap((node) => ("String" in node ? [node.String.sval ?? ""] : []));

/** A name as the port writes it: without the schemas that everybody means anyway. */
export function nameOf(words: readonly string[]): string {
  const [schema = "", ...rest] = words;
  return rest.length > 0 && (schema === "public" || schema === "pg_catalog") ? rest.join(".") : words.join(".");
}

export const rangeName = (range: Range | undefined): string =>
  nameOf([range?.schemaname, range?.relname].flatMap((word) => (word === undefined ? [] : [word])));

/** The names of RangeVar nodes. */
export const rangesIn = (nodes: readonly Node[] | undefined): readonly string[] =>
  (nodes ?? []).flatMap((node) => ("RangeVar" in node ? [rangeName(node.RangeVar)] : []));

/** `numeric(24,8)`, `text[]`. */
export function typeName(type: Of<"TypeName"> | undefined): string {
  const mods = (type?.typmods ?? []).map((mod) =>
    "A_Const" in mod && mod.A_Const.ival !== undefined ? String(mod.A_Const.ival.ival ?? 0) : "?",
  );
  const size = mods.length === 0 ? "" : `(${mods.join(",")})`;
  return `${nameOf(wordsOf(type?.names))}${size}${"[]".repeat(type?.arrayBounds?.length ?? 0)}`;
}

/** Names of the functions that an expression or statement calls. */
export function callsIn(tree: unknown): readonly string[] {
  const names = new Set<string>();
  walk(tree, (kind, fields) => {
    if (kind === "FuncCall" && Array.isArray(fields["funcname"]))
      names.add(nameOf(wordsOf(fields["funcname"] as readonly Node[])));
  });
  return [...names];
}

/** Texts in quotes. */
export function literalsIn(tree: unknown): readonly string[] {
  const texts = new Set<string>();
  walk(tree, (kind, fields) => {
    const text = kind === "A_Const" && isRecord(fields["sval"]) ? fields["sval"]["sval"] : undefined;
    if (typeof text === "string") texts.add(text);
  });
  return [...texts];
}

/** Tables and views that a statement reads; what it writes stands in its acts. */
export function relationsIn(tree: unknown): readonly string[] {
  const names = new Set<string>();
  walk(tree, (kind, fields) => {
    if (kind === "RangeVar") names.add(rangeName(fields));
  });
  return [...names];
}
