import type * as z from "zod";
import { CHOICE, EXPECTED, NOUN } from "./expected.ts";

/**
 * What messages need to know of a schema: its keys, its words, and which branch of a choice the writer meant.
 * zod tells that a value fits no branch; people want to know what is wrong with the branch that they wrote.
 */
type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypes["_zod"]["def"];

const defOf = (schema: Schema): Def => (schema as z.core.$ZodTypes)._zod.def;

/** Without the layers that say optional, default or the like. */
export function bare(schema: Schema): Schema {
  const def = defOf(schema);
  return "innerType" in def ? bare(def.innerType) : schema;
}

export const keysOf = (schema: Schema): readonly string[] => {
  const def = defOf(bare(schema));
  return def.type === "object" ? Object.keys(def.shape) : [];
};

/** The word for what a schema describes, from the nearest layer that has one. */
export const nounOf = (schema: Schema): string | undefined =>
  NOUN.get(schema as never)?.noun ??
  ("innerType" in defOf(schema) ? nounOf((defOf(schema) as { innerType: Schema }).innerType) : undefined);
export const expectedOf = (schema: Schema): string | undefined =>
  EXPECTED.get(schema as never)?.text ??
  ("innerType" in defOf(schema) ? expectedOf((defOf(schema) as { innerType: Schema }).innerType) : undefined);
export const choiceOf = (schema: Schema): string | undefined => CHOICE.get(bare(schema) as never)?.what;

/** In words, what would be right here. */
export function expectation(schema: Schema): string {
  const told = expectedOf(schema);
  if (told !== undefined) return told;
  const def = defOf(bare(schema));
  if (def.type === "literal") return def.values.map(String).join(" or ");
  if (def.type === "enum") return `one of ${Object.values(def.entries).join(", ")}`;
  if (def.type === "object") return `a block with the keys ${keysOf(schema).join(", ")}`;
  if (def.type === "union") return `a ${choiceOf(schema) ?? "block"}: ${choiceKeys(optionsOf(schema)).join(", ")}`;
  return WORDS[def.type] ?? "something else";
}

const WORDS: Readonly<Partial<Record<Def["type"], string>>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  record: "a block of names",
};

export const optionsOf = (schema: Schema): readonly Schema[] => {
  const def = defOf(bare(schema));
  return def.type === "union" ? def.options : [];
};

/** Key that tells the branches of a discriminated union apart. */
export const discriminatorOf = (schema: Schema): string | undefined => {
  const def = defOf(bare(schema));
  return def.type === "union" && "discriminator" in def
    ? (def as z.core.$ZodDiscriminatedUnionDef).discriminator
    : undefined;
};

export type Choice =
  | { readonly kind: "one"; readonly index: number }
  | { readonly kind: "many"; readonly keys: readonly string[] }
  | { readonly kind: "none" };

/** The branch that a value was meant for: by its type, and for blocks by their first key. */
export function choose(options: readonly Schema[], value: unknown): Choice {
  const fitting = options
    .map((option, index) => ({ option: bare(option), index }))
    .filter(({ option }) => isOfType(option, value));
  if (!isBlock(value) || fitting.length < 2)
    return fitting[0] === undefined ? { kind: "none" } : { kind: "one", index: fitting[0].index };
  const named = fitting.filter(({ option }) => (keysOf(option)[0] ?? "") in value);
  if (named.length > 1) return { kind: "many", keys: named.map(({ option }) => keysOf(option)[0] ?? "") };
  return named[0] === undefined ? { kind: "none" } : { kind: "one", index: named[0].index };
}

/** First keys of the branches that are blocks. */
export const choiceKeys = (options: readonly Schema[]): readonly string[] =>
  options.flatMap((option) => keysOf(option).slice(0, 1));

function isOfType(option: Schema, value: unknown): boolean {
  const def = defOf(option);
  if (def.type === "object" || def.type === "record") return isBlock(value);
  if (def.type === "array") return Array.isArray(value);
  return def.type === "string" || def.type === "literal" || def.type === "enum" ? typeof value === "string" : false;
}

export const isBlock = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The schema of what stands at a path, through the branches that the value chose; undefined where nothing is known. */
export function schemaAt(schema: Schema, value: unknown, path: readonly PropertyKey[]): Schema | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return schema;
  const inner = branchOf(schema, value);
  const child = inner === undefined ? undefined : childOf(inner, first);
  return child === undefined ? undefined : schemaAt(child, childValue(value, first), rest);
}

export function branchOf(schema: Schema, value: unknown): Schema | undefined {
  const inner = bare(schema);
  const options = optionsOf(inner);
  if (options.length === 0) return inner;
  const discriminator = discriminatorOf(inner);
  if (discriminator !== undefined)
    return options.find((option) => literalOf(option, discriminator) === childValue(value, discriminator));
  const choice = choose(options, value);
  return choice.kind === "one" ? bare(options[choice.index] ?? inner) : undefined;
}

/** What a branch of a discriminated union has at its key. */
export const literalOf = (option: Schema, key: string): unknown => {
  const child = childOf(bare(option), key);
  const def = child === undefined ? undefined : defOf(bare(child));
  return def?.type === "literal" ? def.values[0] : undefined;
};

function childOf(schema: Schema, key: PropertyKey): Schema | undefined {
  const def = defOf(schema);
  if (def.type === "object")
    return typeof key === "string" && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
  if (def.type === "array") return def.element;
  return def.type === "record" ? def.valueType : undefined;
}

export const childValue = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
