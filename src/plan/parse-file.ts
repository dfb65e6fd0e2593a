import type * as z from "zod";
import { Bug } from "../errors/bug.ts";
import type { Problem } from "../errors/problem.ts";
import type { Parsed } from "./located.ts";
import { schemaProblems } from "./schema/problems-of.ts";
import { isBlock } from "./schema/shape.ts";
import { decodeSource } from "./source/decode-source.ts";
import { inOrder } from "./source/in-order.ts";
import { readYaml } from "./source/read-yaml.ts";
import { problemAt, type Source } from "./source/source.ts";

/** A file as it lies there. */
export type Input = string | Uint8Array;

/** The kinds of file, by the first key of these that they have. */
const NOUNS = {
  plan: "a plan",
  environment: "an environment",
  releases: "a releases file",
  publicKey: "a public key",
} as const;
export type FileKind = keyof typeof NOUNS;

export type Format<Schema extends z.ZodType, T> = {
  readonly kind: FileKind;
  readonly schema: Schema;
  readonly build: (input: z.infer<Schema>, file: string) => T;
};

/** Text → value, or every problem of its shape. Never throws but for a `Bug`. */
export function parseFile<Schema extends z.ZodType, T>(
  format: Format<Schema, T>,
  input: Input,
  file: string,
): Parsed<T> {
  const decoded = decodeSource(typeof input === "string" ? new TextEncoder().encode(input) : input, file);
  if (decoded.kind === "refused") return refused(decoded.problems);
  const yaml = readYaml(decoded.text, file);
  if (yaml.kind === "refused") return refused(yaml.problems);
  const { value, source } = yaml;
  const stranger = notOurs(format.kind, value, source);
  if (stranger !== undefined) return refused([stranger]);
  const result = format.schema.safeParse(value);
  if (!result.success) return refused(schemaProblems(format.schema, value, source, result.error.issues));
  return { ok: true, located: { value: format.build(result.data, file), source } };
}

function refused<T>(problems: readonly Problem[]): Parsed<T> {
  if (problems.length === 0) throw new Bug("a file was refused without a problem");
  return { ok: false, problems: inOrder(problems) };
}

/** What makes every other complaint pointless: nothing there, another kind of file, another version of the format. */
function notOurs(kind: FileKind, value: unknown, source: Source): Problem | undefined {
  if (value === null)
    return problemAt(source, {
      code: "FILE_EMPTY",
      message: `the file is empty; ${NOUNS[kind]} is expected`,
      path: [],
      hint: "`midflight init` writes a first one",
    });
  if (!isBlock(value))
    return problemAt(source, {
      code: "VALUE_WRONG",
      message: `the file must hold a block of keys: ${NOUNS[kind]}`,
      path: [],
      hint: `begin with "midflight: 1"`,
    });
  const version = value["midflight"];
  if (version !== undefined && version !== 1)
    return problemAt(source, {
      code: "FORMAT_UNKNOWN",
      message: "this version of midflight reads format 1 only",
      path: ["midflight"],
      hint: versionHint(version),
    });
  const other = (Object.keys(NOUNS) as readonly FileKind[]).find((one) => one in value);
  // An environment may say `releases` too.
  const isOfKind = kind in value && !(kind === "releases" && other === "environment");
  if (isOfKind || other === undefined) return undefined;
  return problemAt(source, {
    code: "FILE_OF_OTHER_KIND",
    message: `this is ${NOUNS[other]}; ${NOUNS[kind]} is expected`,
    path: [other],
    at: "key",
    hint: "check which file goes where",
  });
}

const versionHint = (version: unknown): string =>
  version === "1"
    ? "write it without quotes: midflight: 1"
    : "write midflight: 1, or use the version of midflight that this file was written for";
