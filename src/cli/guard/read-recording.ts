import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { BadInput } from "../../errors/problem.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { JudgeInput } from "../../guard/judge.ts";
import type { RecordingHead } from "../../guard/recording.ts";
import { unreadable } from "../../plan/source/decode-source.ts";
import type { CliIo } from "../io.ts";

const at = z.number();
const text = z.string();
const operation = z.string().regex(/^[a-z][a-z0-9-]*$/);
const amount = z.number().min(0);

const head = z.strictObject({
  kind: z.literal("recording"),
  midflight: z.literal(1),
  at,
  guard: z.strictObject({
    operations: z.array(operation).readonly(),
    falseAlarmEveryMs: amount,
    baselineAtMostPct: amount,
    slowerThanMs: amount,
    deadlineMs: amount,
    budgetFailedOperations: amount.exactOptional(),
    probesPerSec: amount,
    suspectForMs: amount,
    holdForMs: amount,
  }),
  regions: z
    .array(
      z.strictObject({
        region: text,
        isProbed: z.boolean(),
        silentAfterMs: amount.exactOptional(),
        countsProbes: z.boolean().exactOptional(),
        isCounted: z.boolean().exactOptional(),
      }),
    )
    .readonly(),
  hasCounters: z.boolean(),
});

const count = z.looseObject({
  operation,
  region: text,
  release: text,
  side: z.enum(["new", "old", "unknown"]),
  cohort: text,
  source: z.enum(["probes", "live"]),
  issued: amount,
  failed: amount,
});
const instance = z.looseObject({
  id: text,
  region: text,
  release: text,
  side: z.enum(["new", "old"]),
  inTraffic: z.boolean(),
});
const place = { component: text, regions: z.array(text).readonly() };

const input = z.discriminatedUnion("kind", [
  z.looseObject({
    kind: z.literal("bin"),
    at,
    ms: amount,
    from: at.exactOptional(),
    counts: z.array(count).readonly(),
  }),
  z.looseObject({
    kind: z.literal("reach"),
    at,
    gone: z.array(text).readonly(),
    unreadable: z.array(z.strictObject({ id: text, why: text })).readonly(),
  }),
  z.looseObject({
    kind: z.literal("sight"),
    at,
    source: text,
    regions: z.array(text).readonly(),
    why: text.exactOptional(),
  }),
  z.looseObject({ kind: z.literal("tick"), at }),
  z.looseObject({
    kind: z.literal("mark"),
    at,
    cause: z.union([
      z.strictObject({ kind: z.enum(["start", "back"]) }),
      z.looseObject({ kind: z.literal("metadata"), component: text }),
      z.looseObject({ kind: z.literal("behind"), component: text, what: text }),
      z.looseObject({ kind: z.literal("instances"), ...place }),
    ]),
  }),
  z.looseObject({ kind: z.literal("instances"), at, instances: z.array(instance).readonly() }),
  z.looseObject({ kind: z.literal("silent"), at, operation, region: text, why: text }),
]);

export type RecordedLine =
  | { readonly kind: "head"; readonly head: RecordingHead }
  | { readonly kind: "input"; readonly input: JudgeInput };

/** What a guard was told, line by line. A last line that was not written to its end is left out. Rejects `BadInput`, `RECORDING_INVALID`. */
export async function* readRecording(io: CliIo, file: string): AsyncGenerator<RecordedLine> {
  const stream = createReadStream(resolve(io.cwd, file));
  let number = 0;
  let pending: string | undefined;
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      if (pending !== undefined) yield lineOf(pending, file, number);
      pending = line;
      number += 1;
    }
  } catch (error) {
    if (error instanceof UpgradeError) throw error;
    throw new BadInput([unreadable(file, (error as NodeJS.ErrnoException).code ?? "EIO")]);
  }
  if (number === 0 || pending === undefined) throw invalid(`${file} is empty`);
  const last = wholeOrNone(pending);
  if (last !== undefined) yield lineOf(last, file, number);
  else if (number === 1) throw invalid(`${file}, line 1: it is no JSON`);
}

/** Whoever was killed while writing left half a line. */
function wholeOrNone(line: string): string | undefined {
  try {
    JSON.parse(line);
    return line;
  } catch {
    return undefined;
  }
}

function lineOf(line: string, file: string, number: number): RecordedLine {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    throw invalid(`${file}, line ${number}: it is no JSON`);
  }
  const asHead = head.safeParse(given);
  if (asHead.success) return { kind: "head", head: asHead.data };
  if (number === 1) throw invalid(`${file} does not begin as a recording: ${firstOf(asHead.error)}`);
  const asInput = input.safeParse(given);
  if (!asInput.success) throw invalid(`${file}, line ${number}: ${firstOf(asInput.error)}`);
  return { kind: "input", input: asInput.data };
}

const firstOf = ({ issues: [first] }: z.ZodError): string =>
  `${first?.path.join(".") ?? ""} ${first?.message ?? ""}`.trim();

const invalid = (message: string): UpgradeError =>
  new UpgradeError("RECORDING_INVALID", message, {
    hint: "name the guard.ndjson of a run's folder, or a file that `midflight guard --record` wrote",
  });
