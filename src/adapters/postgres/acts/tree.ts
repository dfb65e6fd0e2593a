import type { Node } from "libpg-query";

/** The fields of one kind of node. */
export type Of<K extends string> = Extract<Node, Record<K, unknown>> extends Record<K, infer T> ? T : never;
export type Constr = Of<"Constraint">;
export type Range = Of<"RangeVar">;

/** Calls `visit` with the kind and the fields of every node in the tree, from the outside in. */
export function walk(tree: unknown, visit: (kind: string, fields: Readonly<Record<string, unknown>>) => void): void {
  if (Array.isArray(tree)) for (const one of tree) walk(one, visit);
  else if (isRecord(tree))
    for (const [key, value] of Object.entries(tree)) {
      // Kinds are written in capitals, fields in small letters.
      if (isRecord(value) && /^[A-Z]/.test(key)) visit(key, value);
      walk(value, visit);
    }
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
