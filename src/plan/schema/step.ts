import * as z from "zod";
import { argv, count, flag, name, path, text } from "./fields.ts";
import { CHOICE, EXPECTED, NOUN } from "./expected.ts";
import { duration, percent, timeLimit } from "./quantity-field.ts";

const patience = (deadline: string, retries: number) => ({
  deadline: timeLimit({ min: 100 })
    .optional()
    .describe(`Longest time for each move of this step, with its retries. Default ${deadline}.`),
  retries: count(0, 100)
    .optional()
    .describe(`How often a failure that may pass is tried again, with growing pauses. Default ${retries}.`),
});

const regions = () =>
  z.union([z.array(name()).min(1), z.literal("rest")]).register(EXPECTED, { text: "a list of regions, or rest" });

const environmentClass = z.enum(["demo", "production"]);

const migrate = z.strictObject({
  migrate: name().describe("Metadata component whose migrations of this phase are applied."),
  phase: z
    .enum(["expand", "contract"])
    .describe(
      "`expand` adds, so that the old release is still served; `contract` takes away what the old release needed.",
    ),
  irreversible: flag()
    .optional()
    .describe("Point of no return: nothing is taken back after this step. Needs a backup plan. Default false."),
  backup: name()
    .optional()
    .describe(
      "Backup plan that runs when this step's undo fails, or when something goes wrong after a point of no return.",
    ),
  undo: z
    .enum(["suspect", "always"])
    .optional()
    .describe(
      "`suspect`: taken back only when the metadata is what failed. `always`: taken back with any undo. Default suspect.",
    ),
  ...patience("5m", 3),
});

const dark = z
  .union([
    z.strictObject({
      exclude: percent({ min: 0.01, max: 50 }).describe(
        "Failure rates of this and more are excluded before any user reaches a new instance. Default 5%.",
      ),
      confidence: percent({ min: 50, max: 99.9999 }).optional().describe("How surely. Default 99%."),
    }),
    z.literal("none"),
  ])
  .register(EXPECTED, { text: "{ exclude: 5%, confidence: 99% }, or none" });

const drain = z.strictObject({
  notice: duration({ min: 0, max: 120_000 })
    .optional()
    .describe("How long an instance goes on serving after it told its clients to go elsewhere. Default 3s."),
  deadline: duration().optional().describe("How long its last operations may take after that. Default 10s."),
});

const wave = z
  .strictObject({
    regions: regions().describe(
      "Regions of this wave, upgraded together; `rest` in the last wave is whatever no earlier one named.",
    ),
    batch: count(1, 1000).optional().describe("Instances per region that are replaced together. Default 1."),
    surge: count(0, 1000)
      .optional()
      .describe(
        "Instances per region that may exist above the usual number: 0, or at least `batch`. Default: as many as `batch`.",
      ),
    shares: z
      .array(percent({ min: 0.1 }))
      .min(1)
      .optional()
      .describe(
        "Shares of the users that the new release takes, one after the other, the last of them 100%: a full second set comes up first (`batch` and `surge` are all instances), `soak` follows each share, and the old ones leave after the last. Default: each new instance takes its share as it is admitted.",
      ),
    soak: duration({ min: 0 }).optional().describe("How long the guard must see health after this wave. Default 0s."),
  })
  .register(NOUN, { noun: "wave" });

const roll = z.strictObject({
  roll: name().describe("Component whose instances are replaced by the release that the plan names."),
  dark: dark
    .optional()
    .describe(
      "Proof before any user reaches a new instance: it is probed directly. Default exclude 5%, confidence 99%; `none` switches it off.",
    ),
  drain: drain.optional().describe("How old instances leave."),
  waves: z
    .array(wave)
    .min(1)
    .optional()
    .describe("Which regions go together, and how fast. Default: all regions in one wave, one instance at a time."),
  ...patience("5m", 2),
});

const shift = z.strictObject({
  shift: name().describe("Component whose users' share is moved to the new release."),
  to: percent().describe("Share of the users that the new release takes."),
  regions: regions().optional().describe("Default: all regions of the component."),
  soak: duration({ min: 0 }).optional().describe("How long the guard must see health afterwards. Default 0s."),
  ...patience("1m", 2),
});

const program = z
  .union([
    argv(),
    z.strictObject({
      argv: argv().describe("Program and arguments. With `shell`, one command line."),
      undo: argv().optional().describe("Takes back what the program did; run when the run is undone. May run twice."),
      shell: flag().optional().describe("Hand the command line to /bin/sh. Default false."),
    }),
    z.strictObject({
      job: z
        .strictObject({
          manifest: path().describe(
            "Manifest of a Job (batch/v1), as seen from the folder where midflight is started.",
          ),
          container: text().optional().describe("Container whose exit status and output count. Default: the only one."),
        })
        .register(NOUN, { noun: "job" })
        .describe("A Job in the cluster that the environment names under `jobs`."),
      undo: argv()
        .optional()
        .describe("Takes back what the Job did; a program, run when the run is undone. May run twice."),
    }),
  ])
  .register(EXPECTED, { text: "a list of words such as [node, script.mjs], { argv, undo, shell } or { job, undo }" })
  .register(CHOICE, { what: "program" });

const run = z.strictObject({
  run: program.describe(
    "A program, run in the folder where midflight was started, or a Job in a cluster. Exit status 0 is success. A program may run twice: after a crash it is started again.",
  ),
  ...patience("5m", 0),
});

const soak = z.strictObject({ soak: duration().describe("How long the guard must see health before the next step.") });

const verify = z.strictObject({
  verify: name().describe(
    "Component that is checked: instances are ready, or the verify scripts of applied migrations pass.",
  ),
  ...patience("1m", 2),
});

const approve = z.strictObject({
  approve: z
    .strictObject({
      who: text().describe("Who is asked; a name for people."),
      in: z
        .array(environmentClass)
        .min(1)
        .optional()
        .describe("Classes of environment in which somebody is asked. Default: all."),
    })
    .register(EXPECTED, { text: "{ who: ops, in: [production] }" })
    .describe("The run waits here until a person says yes."),
});

/** Each step is chosen by its first key. */
export const stepSchema = z
  .union([migrate, roll, shift, run, soak, verify, approve])
  .register(CHOICE, { what: "step" })
  .register(NOUN, { noun: "step" });

const backupRun = z.strictObject({
  run: argv().describe("Program and arguments. With `shell`, one command line."),
  shell: flag().optional().describe("Hand the command line to /bin/sh. Default false."),
  timeout: timeLimit().optional().describe("Default 5m."),
});
const backupVerify = z.strictObject({
  verify: name().describe("Component that must be in order afterwards."),
  timeout: timeLimit().optional().describe("Default 1m."),
});

export const backupActionSchema = z
  .union([backupRun, backupVerify])
  .register(CHOICE, { what: "backup action" })
  .register(NOUN, { noun: "backup action" });
