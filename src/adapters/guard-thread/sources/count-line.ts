import * as z from "zod";
import type { Operation } from "../../../plan/model.ts";

/** One line that a command prints. `close`: the bin that began with the close before ends here. */
export type CountLine =
  | { readonly kind: "count"; readonly count: PrintedCount }
  | { readonly kind: "close"; readonly at?: number }
  | { readonly kind: "wrong"; readonly why: string };

/** Operations that have ended since the bin before was closed. */
export type PrintedCount = {
  readonly operation: Operation;
  readonly region: string;
  readonly release?: string;
  readonly instance?: string;
  readonly cohort?: string;
  /** Absent: the HTTP status decides alone. */
  readonly code?: string;
  /** Absent: 200. */
  readonly http?: number;
  readonly count: number;
};

/** What the source tells of: anything else in a line is a mistake. */
export type Expected = { readonly regions: readonly string[]; readonly operations: readonly Operation[] };

/** Reads a line strictly: a key too many may be the one that matters. */
export const readCountLine = (text: string, expected: Expected): CountLine => {
  const given = parsed(text);
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return wrong(`it is no JSON object: ${JSON.stringify(shown(text))}`);
  if (!("count" in given) && !("operation" in given)) return readClose(given);
  const read = countSchema.safeParse(given);
  if (!read.success) return wrong(firstOf(read.error));
  const { region, operation } = read.data;
  if (!expected.regions.includes(region))
    return wrong(`the source tells of ${expected.regions.join(", ")}, and not of ${shown(region)}`);
  return expected.operations.includes(operation)
    ? { kind: "count", count: read.data }
    : wrong(`the source tells of ${expected.operations.join(", ")}, and not of ${shown(operation)}`);
};

const name = z.string().min(1).max(200);
const countSchema = z.strictObject({
  operation: name,
  region: name,
  release: name.exactOptional(),
  instance: name.exactOptional(),
  cohort: name.exactOptional(),
  code: name.exactOptional(),
  http: z.int().min(100).max(599).exactOptional(),
  count: z.int().min(0).max(1_000_000_000),
});
const closeSchema = z.strictObject({ at: z.number().min(0).exactOptional() });

const readClose = (given: object): CountLine => {
  const read = closeSchema.safeParse(given);
  return read.success ? { kind: "close", ...read.data } : wrong(firstOf(read.error));
};

const wrong = (why: string): CountLine => ({ kind: "wrong", why });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

const firstOf = ({ issues: [first] }: z.ZodError): string => {
  const path = first?.path.join(".") ?? "";
  return path === "" ? (first?.message ?? "it is no count") : `${path}: ${first?.message ?? ""}`;
};

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
