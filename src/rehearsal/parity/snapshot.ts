import { messageOf } from "../../errors/message-of.ts";
import * as z from "zod";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { msOfUtc, utc } from "../../events/utc.ts";
import type { EnvironmentFact } from "../../ports/facts.ts";
import type { Side } from "./compare.ts";
import { withoutRows } from "./without-rows.ts";

/** An environment as it was: schema, settings, sizes, topology. No row of a table, no secret. */
export type Snapshot = z.infer<typeof snapshotSchema>;

const name = z.string().min(1).max(10_000);
const value = z.string().max(1_000_000);

/** Kept as it stands: a column may be called `__proto__`, which a record schema loses. */
const texts = z.custom<Readonly<Record<string, string>>>(
  (given) =>
    typeof given === "object" &&
    given !== null &&
    !Array.isArray(given) &&
    Object.values(given).every((one) => typeof one === "string"),
);

const fact = z
  .strictObject({
    id: name,
    component: name.exactOptional(),
    group: z.enum([
      "identity",
      "topology",
      "releases",
      "instances",
      "configuration",
      "limits",
      "server",
      "settings",
      "extensions",
      "rights",
      "migrations",
      "schema",
      "reference",
      "sizes",
      "clock",
    ]),
    value: z.union([value, texts]),
    severity: z.enum(["block", "warn", "info"]),
    rule: z.enum(["same", "apart", "scale"]),
  })
  .readonly();

const snapshotSchema = z
  .strictObject({
    midflight: z.literal(1),
    kind: z.literal("snapshot"),
    environment: name,
    class: z.enum(["demo", "production"]),
    takenAt: z.iso.datetime(),
    version: name,
    facts: z.array(fact).max(1_000_000).readonly(),
  })
  .readonly();

/** `takenAt`: ms since the epoch. */
export const snapshotOf = (side: Side, takenAt: number, version: string): Snapshot => ({
  midflight: 1,
  kind: "snapshot",
  environment: side.name,
  class: side.class,
  takenAt: utc(takenAt),
  version,
  facts: withoutRows(side.facts),
});

/** Whether a text means to be a snapshot, right or wrong. */
export const isSnapshot = (text: string): boolean => /^\s*\{[^{}]*"kind"\s*:\s*"snapshot"/.test(text);

/** Throws `SNAPSHOT_INVALID`. */
export function readSnapshot(text: string, file: string): Side {
  const { environment, class: kind, takenAt, facts } = parsed(text, file);
  const ids = new Set<string>();
  for (const { id } of facts) {
    if (ids.has(id)) throw invalid(`${file} tells ${id} twice`);
    ids.add(id);
  }
  return {
    name: environment,
    class: kind,
    facts: facts satisfies readonly EnvironmentFact[],
    takenAt: msOfUtc(takenAt),
  };
}

function parsed(text: string, file: string): Snapshot {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw invalid(`${file} is no JSON: ${messageOf(cause)}`);
  }
  const result = snapshotSchema.safeParse(given);
  if (result.success) return result.data;
  const [first] = result.error.issues;
  throw invalid(`${file}: ${first?.path.join(".") ?? ""}: ${first?.message ?? "it is no snapshot"}`);
}

const invalid = (message: string): UpgradeError =>
  new UpgradeError("SNAPSHOT_INVALID", message, {
    hint: "take it again: midflight snapshot --env NAME --out FILE; a snapshot is not edited by hand",
  });
