import * as z from "zod";
import { argv, count, duration, frequency, name, percent, rate } from "./scalars.ts";

const patience = {
  deadline: duration.optional().meta({ description: "how long one attempt may take" }),
  retries: count.optional().meta({ description: "attempts after the first" }),
};
const regions = z.union([z.literal("rest"), z.array(z.string()).min(1)], { error: "a list of regions, or `rest`, is expected" });

export const component = z.strictObject({
  release: z.string().optional().meta({ description: "name@version, a key of releases.yaml" }),
  migrations: z.string().optional().meta({ description: "folder, relative to this file" }),
  needs: z.array(z.string()).optional(),
  floor: percent.optional().meta({ description: "least share of the instances that takes traffic in any region; default 100%" }),
});

export const wave = z.strictObject({
  regions: regions.optional(),
  batch: count.min(1).optional().meta({ description: "instances per region that are replaced together; default 1" }),
  surge: count.optional().meta({ description: "instances that may exist above the count found before: 0, or at least `batch`; default `batch`" }),
  soak: duration.optional(),
});

/** Each kind of step, by the key that names it. */
export const STEP_SCHEMAS = {
  migrate: z.strictObject({
    migrate: z.string(),
    phase: z.enum(["expand", "contract"]),
    irreversible: z.boolean().optional(),
    backup: z.string().optional(),
    undo: z.enum(["suspect", "always"]).optional().meta({ description: "`suspect`: taken back only when the metadata is what failed" }),
    ...patience,
  }),
  roll: z.strictObject({
    roll: z.string(),
    dark: z.union([z.literal("none"), z.strictObject({ exclude: percent.optional(), confidence: percent.optional() })], { error: "{ exclude: 5%, confidence: 99% } or `none` is expected" }).optional(),
    drain: z.strictObject({ notice: duration.optional(), deadline: duration.optional() }).optional(),
    waves: z.array(wave).min(1).optional(),
    ...patience,
  }),
  shift: z.strictObject({ shift: z.string(), to: percent, regions: regions.optional(), soak: duration.optional(), ...patience }),
  run: z.strictObject({
    run: z.union([argv, z.strictObject({ argv, undo: argv.optional(), shell: z.boolean().optional() })], { error: "a list of words, or { argv, undo, shell }, is expected" }),
    ...patience,
  }),
  soak: z.strictObject({ soak: duration }),
  verify: z.strictObject({ verify: z.string(), ...patience }),
  approve: z.strictObject({ approve: z.strictObject({ who: z.string().min(1), in: z.array(z.enum(["demo", "production"])).optional() }) }),
} as const;
export type StepKind = keyof typeof STEP_SCHEMAS;
export const STEP_KINDS = Object.keys(STEP_SCHEMAS) as readonly StepKind[];

export const backupAction = z.union([
  z.strictObject({ run: argv, shell: z.boolean().optional(), timeout: duration.optional() }),
  z.strictObject({ verify: z.string(), timeout: duration.optional() }),
]);

export const guard = z.strictObject({
  operations: z.array(z.enum(["order", "amend", "cancel"])).min(1, { error: "at least one operation is expected" }).optional(),
  falseAlarms: frequency.optional(),
  baseline: z.strictObject({ atMost: percent }).optional(),
  slowerThan: duration.optional(),
  deadline: duration.optional(),
  budget: z.strictObject({ failedOperations: count.min(1) }).optional(),
  probes: rate.optional().meta({ description: "probe operations per second and region; default 30/s" }),
  suspectFor: duration.optional(),
  holdFor: duration.optional(),
});

const head = {
  midflight: z.literal(1, { error: "this midflight reads version 1" }),
  plan: name,
  summary: z.string().optional(),
  components: z.record(name, component),
  guard: guard.optional(),
  backups: z.record(name, z.array(backupAction).min(1)).optional(),
};

/** For reading: steps are read one by one, by the key that names their kind, so that each says what is wrong with it. */
export const planHead = z.strictObject({ ...head, steps: z.array(z.record(z.string(), z.unknown()), { error: "a list of steps is expected" }).min(1, { error: "at least one step is expected" }) });

/** For editors. */
export const planDocument = z.strictObject({ ...head, steps: z.array(z.union(Object.values(STEP_SCHEMAS))).min(1) });
