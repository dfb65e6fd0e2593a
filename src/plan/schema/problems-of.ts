import * as z from "zod";
import type { Problem } from "../../errors/problem.ts";
import { nearest, suggest } from "../nearest.ts";
import { placeAt, problemAt, type Complaint, type Path, type Source } from "../source/source.ts";
import { isDetail, type Detail } from "./expected.ts";
import {
  branchOf,
  childValue,
  choiceKeys,
  choiceOf,
  choose,
  discriminatorOf,
  expectation,
  isBlock,
  keysOf,
  literalOf,
  nounOf,
  optionsOf,
  schemaAt,
} from "./shape.ts";

/** A part of the file that is held against a schema. `base` is where it stands in the file. */
type Check = {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
  readonly base: Path;
  readonly source: Source;
  /** A key that was read as another, because it is misspelt: the name in the file. */
  readonly misspelt?: { readonly meant: string; readonly written: string };
};
type Issue = z.core.$ZodIssue;

/** What zod found, as located problems in our words; all of it, also inside the branch of a choice that the writer meant. */
export const schemaProblems = (
  schema: z.ZodType,
  value: unknown,
  source: Source,
  issues: readonly Issue[],
): readonly Problem[] =>
  issues
    .flatMap((issue) => translate({ schema, value, base: [], source }, issue))
    .map((complaint) => problemAt(source, complaint));

function translate(check: Check, issue: Issue): readonly Complaint[] {
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(check, issue, key));
  if (issue.code === "invalid_union") return union(check, issue);
  if (issue.code === "invalid_key") return [wrongKey(check, issue)];
  if (issue.code === "too_small" || issue.code === "too_big") return [outOfBounds(check, issue)];
  if (issue.code === "custom" && isDetail(issue.params)) return [quantity(check, issue, issue.params)];
  return isMissing(check, issue) ? missing(check, issue.path) : [wrongValue(check, issue)];
}

/** Path in the file: a misspelt key stands there as it was written. */
function inFile({ base, misspelt }: Check, path: readonly PropertyKey[]): Path {
  const own = path.map((segment, index) =>
    index === 0 && segment === misspelt?.meant
      ? misspelt.written
      : typeof segment === "number"
        ? segment
        : String(segment),
  );
  return [...base, ...own];
}

const valueAt = (check: Check, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, segment) => childValue(value, segment), check.value);
const schemaOf = (check: Check, path: readonly PropertyKey[]) => schemaAt(check.schema, check.value, path);

/** "a step", "components.gateway", "the plan": what the block at this path is called. */
function called(check: Check, path: readonly PropertyKey[]): string {
  const schema = schemaOf(check, path);
  const noun =
    schema === undefined ? undefined : (nounOf(schema) ?? nounOf(branchOf(schema, valueAt(check, path)) ?? schema));
  const last = inFile(check, path).at(-1);
  if (noun !== undefined) return last === undefined ? `the ${noun}` : `a ${noun}`.replace(/^a ([aeiou])/, "an $1");
  return typeof last === "string" ? `"${last}"` : "this block";
}

function unknownKey(check: Check, issue: Issue, key: string): Complaint {
  const block = schemaOf(check, issue.path);
  // One key tells the branches of a discriminated union apart, and all of them have it.
  const isChosenByKey = block !== undefined && discriminatorOf(block) === undefined;
  const choice = isChosenByKey ? choose(optionsOf(block), valueAt(check, issue.path)) : undefined;
  if (block !== undefined && choice?.kind === "many") return tooMany(check, issue.path, block, choice.keys);
  const branch = block === undefined ? undefined : branchOf(block, valueAt(check, issue.path));
  const keys = branch === undefined ? [] : keysOf(branch).filter((known) => known !== "$schema");
  const unused = keys.filter((known) => childValue(valueAt(check, issue.path), known) === undefined);
  const near = nearest(key, unused) ?? nearest(key, keys);
  const hint = near === undefined ? `its keys are: ${keys.join(", ")}` : `did you mean "${near}"?`;
  return {
    code: "KEY_UNKNOWN",
    message: `${called(check, issue.path)} has no key "${short(key)}"`,
    path: [...inFile(check, issue.path), key],
    at: "key",
    hint,
  };
}

const isMissing = (check: Check, issue: Issue): boolean =>
  issue.path.length > 0 && valueAt(check, issue.path) === undefined;

function missing(check: Check, path: readonly PropertyKey[]): readonly Complaint[] {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  if (isMisspelt(check, parent, key)) return [];
  const schema = schemaOf(check, path);
  const hint = schema === undefined ? {} : { hint: `add "${key}": ${expectation(schema)}` };
  return [
    {
      code: "KEY_MISSING",
      message: `${called(check, parent)} lacks "${key}"`,
      path: inFile(check, parent),
      at: "key",
      ...hint,
    },
  ];
}

/** Then the misspelt key is told, with this one as the guess. */
function isMisspelt(check: Check, parent: readonly PropertyKey[], key: string): boolean {
  const block = schemaOf(check, parent);
  const branch = block === undefined ? undefined : branchOf(block, valueAt(check, parent));
  const value = valueAt(check, parent);
  if (branch === undefined || !isBlock(value)) return false;
  const known = keysOf(branch);
  const unused = known.filter((one) => !Object.hasOwn(value, one));
  return Object.keys(value).some((one) => !known.includes(one) && nearest(one, unused) === key);
}

function wrongValue(check: Check, issue: Issue): Complaint {
  const schema = schemaOf(check, issue.path);
  const value = valueAt(check, issue.path);
  const path = inFile(check, issue.path);
  const wanted = schema === undefined ? "something else" : expectation(schema);
  const values = "values" in issue ? issue.values.map(String) : [];
  const near = typeof value === "string" ? nearest(value, values) : undefined;
  const hint = near === undefined ? hintFor(check, path, value, wanted) : `did you mean "${near}"?`;
  return {
    code: "VALUE_WRONG",
    message: `${subject(path)} must be ${wanted}, and not ${found(check.source, path, value)}`,
    path,
    ...(hint === undefined ? {} : { hint }),
  };
}

function hintFor(check: Check, path: Path, value: unknown, wanted: string): string | undefined {
  if (typeof value === "number" && wanted.startsWith("a duration"))
    return `a unit is missing: write ${value}s, or d, h, m or ms`;
  if (typeof value === "number" && wanted.startsWith("a share")) return `write ${value}%`;
  if (typeof value === "number" && wanted.startsWith("a rate")) return `write ${value}/s`;
  if (typeof value === "number" && wanted.startsWith("a text"))
    return `put it in quotes: "${written(check.source, path)}"`;
  if (typeof value === "string" && wanted.startsWith("a list of words"))
    return `write each word as an item: [${value.split(/\s+/).slice(0, 8).map(short).join(", ")}]`;
  if (typeof value === "string" && wanted.startsWith("a list")) return `put it in brackets: [${short(value)}]`;
  if (typeof value === "string" && wanted.startsWith("a digest"))
    return "`midflight check` cannot know it: run the release's build, and write down what it says";
  return undefined;
}

function quantity(check: Check, issue: Issue, detail: Detail): Complaint {
  const path = inFile(check, issue.path);
  const schema = schemaOf(check, issue.path);
  const value = valueAt(check, issue.path);
  const part = partOf(check.source, path, value, detail);
  return {
    code: "VALUE_WRONG",
    message: `${subject(path)} must be ${schema === undefined ? "something else" : expectation(schema)}: ${detail.why}`,
    path,
    ...(part === undefined ? {} : { part }),
  };
}

/** Only where the file says the value letter for letter: an escape or a fold would move the caret. */
function partOf(
  source: Source,
  path: Path,
  value: unknown,
  detail: Detail,
): { readonly at: number; readonly length: number } | undefined {
  const text = written(source, path);
  return text === value || text === `"${String(value)}"` || text === `'${String(value)}'`
    ? { at: detail.at, length: detail.length }
    : undefined;
}

function outOfBounds(check: Check, issue: Extract<Issue, { readonly code: "too_small" | "too_big" }>): Complaint {
  const path = inFile(check, issue.path);
  const schema = schemaOf(check, issue.path);
  const value = valueAt(check, issue.path);
  if (Array.isArray(value))
    return {
      code: "VALUE_WRONG",
      message: `${subject(path)} must not be empty`,
      path,
      ...(schema === undefined ? {} : { hint: `it is ${expectation(schema)}` }),
    };
  return {
    code: "VALUE_WRONG",
    message: `${subject(path)} must be ${schema === undefined ? "within bounds" : expectation(schema)}, and not ${found(check.source, path, value)}`,
    path,
  };
}

function wrongKey(check: Check, issue: Extract<Issue, { readonly code: "invalid_key" }>): Complaint {
  const path = inFile(check, issue.path);
  const record = schemaOf(check, issue.path.slice(0, -1));
  const keys = record === undefined ? undefined : branchOf(record, valueAt(check, issue.path.slice(0, -1)));
  const def = keys === undefined ? undefined : (keys as z.core.$ZodTypes)._zod.def;
  const wanted = def?.type === "record" ? expectation(def.keyType) : "a name";
  return { code: "VALUE_WRONG", message: `"${short(String(path.at(-1)))}" must be ${wanted}`, path, at: "key" };
}

function union(check: Check, issue: Extract<Issue, { readonly code: "invalid_union" }>): readonly Complaint[] {
  const discriminator =
    "discriminator" in issue && typeof issue.discriminator === "string" ? issue.discriminator : undefined;
  // zod names the key that decides; the block around it is what has to be judged.
  const path = discriminator === undefined ? issue.path : issue.path.slice(0, -1);
  const schema = schemaOf(check, path);
  if (schema === undefined) return [wrongValue(check, issue)];
  const value = valueAt(check, path);
  if (discriminator !== undefined) return unknownDriver(check, path, schema, discriminator);
  const options = optionsOf(schema);
  const choice = choose(options, value);
  if (choice.kind === "one")
    return (issue.errors[choice.index] ?? []).flatMap((inner) =>
      translate(check, { ...inner, path: [...issue.path, ...inner.path] }),
    );
  if (!isBlock(value)) return isMissing(check, issue) ? missing(check, path) : [wrongValue(check, issue)];
  if (choice.kind === "many") return [tooMany(check, path, schema, choice.keys)];
  return unknownChoice(check, path, schema, value);
}

function tooMany(
  check: Check,
  path: readonly PropertyKey[],
  schema: z.core.$ZodType,
  keys: readonly string[],
): Complaint {
  const what = choiceOf(schema) ?? "block";
  const second = [...inFile(check, path), keys[1] ?? ""];
  return {
    code: "KEY_UNKNOWN",
    message: `a ${what} is one of ${keys.join(", ")}, and this one says ${keys.length} of them`,
    path: second,
    at: "key",
    hint: `make it ${keys.length} ${what}s`,
  };
}

/** A misspelt first key hides nothing: the rest is judged as what was most likely meant. */
function unknownChoice(
  check: Check,
  path: readonly PropertyKey[],
  schema: z.core.$ZodType,
  value: Readonly<Record<string, unknown>>,
): readonly Complaint[] {
  const keys = choiceKeys(optionsOf(schema));
  const what = choiceOf(schema) ?? "block";
  const guess = Object.keys(value)
    .map((key) => ({ written: key, meant: nearest(key, keys) }))
    .find((one): one is { written: string; meant: string } => one.meant !== undefined);
  if (guess === undefined)
    return [
      {
        code: "KEY_MISSING",
        message: `this ${what} says nothing of what a ${what} is: ${keys.join(", ")}`,
        path: inFile(check, path),
        at: "key",
        hint: `begin it with one of these keys`,
      },
    ];
  const wrong: Complaint = {
    code: "KEY_UNKNOWN",
    message: `there is no ${what} "${short(guess.written)}"`,
    path: [...inFile(check, path), guess.written],
    at: "key",
    hint: `did you mean "${guess.meant}"?`,
  };
  const { [guess.written]: given, ...rest } = value;
  const option = optionsOf(schema).find((one) => keysOf(one)[0] === guess.meant);
  return [
    wrong,
    ...asMeant({ ...check, base: inFile(check, path), misspelt: guess }, option, { [guess.meant]: given, ...rest }),
  ];
}

function unknownDriver(
  check: Check,
  path: readonly PropertyKey[],
  schema: z.core.$ZodType,
  key: string,
): readonly Complaint[] {
  const known = optionsOf(schema).map((option) => String(literalOf(option, key)));
  const value = valueAt(check, path);
  const given = childValue(value, key);
  const file = [...inFile(check, path), key];
  if (given === undefined)
    return [
      {
        code: "KEY_MISSING",
        message: `${called(check, path)} lacks "${key}"`,
        path: inFile(check, path),
        at: "key",
        hint: `add "${key}": one of ${known.join(", ")}`,
      },
    ];
  const near = typeof given === "string" ? nearest(given, known) : undefined;
  const hint = typeof given === "string" ? suggest(given, known) : undefined;
  const wrong: Complaint = {
    code: "VALUE_WRONG",
    message: `"${key}" must be one of ${known.join(", ")}, and not ${found(check.source, file, given)}`,
    path: file,
    ...(hint === undefined ? {} : { hint }),
  };
  if (near === undefined || !isBlock(value)) return [wrong];
  const option = optionsOf(schema).find((one) => literalOf(one, key) === near);
  return [wrong, ...asMeant({ ...check, base: inFile(check, path) }, option, { ...value, [key]: near })];
}

function asMeant(check: Check, option: z.core.$ZodType | undefined, value: unknown): readonly Complaint[] {
  if (option === undefined) return [];
  const { misspelt, ...rest } = check;
  const issues = z.safeParse(option, value).error?.issues ?? [];
  return issues.flatMap((issue) =>
    translate({ ...rest, schema: option, value, ...(misspelt === undefined ? {} : { misspelt }) }, issue),
  );
}

/** How a value is called in a sentence: by its key, or as an item of the list that it stands in. */
function subject(path: Path): string {
  const last = path.at(-1);
  if (typeof last === "string") return `"${short(last)}"`;
  const list = path.at(-2);
  return last === undefined ? "the file" : typeof list === "string" ? `an item of "${short(list)}"` : "this item";
}

/** A value as the reader sees it. */
function found(source: Source, path: Path, value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a block of keys";
  const text = written(source, path);
  if (text === "" || text.includes("\n")) return short(JSON.stringify(value));
  return short(/^["']/.test(text) || typeof value !== "string" ? text : `"${text}"`);
}

function written(source: Source, path: Path): string {
  const { place, isExact } = placeAt(source.root, path);
  return isExact ? source.text.slice(place.start, place.end) : "";
}

const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);
