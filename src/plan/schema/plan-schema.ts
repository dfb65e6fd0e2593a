import * as z from "zod";
import { EXPECTED, NOUN } from "./expected.ts";
import { count, editorSchema, name, operation, path, release, text, version } from "./fields.ts";
import { duration, eventRate, percent, perSecond } from "./quantity-field.ts";
import { backupActionSchema, stepSchema } from "./step.ts";

const component = z
  .strictObject({
    release: release()
      .optional()
      .describe("What shall run, a key of releases.yaml. For everything but metadata stores."),
    migrations: path().optional().describe("Folder of migrations, relative to this file. For metadata stores."),
    needs: z
      .array(name())
      .optional()
      .describe("Components that this one's release reads: they are expanded before it and contracted after it."),
    floor: percent()
      .optional()
      .describe(
        "Least share of the instances found before the run that must take traffic, in any region. Default 100%.",
      ),
  })
  .register(NOUN, { noun: "component" });

const guard = z
  .strictObject({
    operations: z
      .array(operation())
      .optional()
      .describe(
        "What is watched. Probes of a venue know order, amend and cancel, which are the default; probes over HTTP name their own.",
      ),
    falseAlarms: eventRate()
      .optional()
      .describe("How often the guard may turn a healthy run back. Default 1 per 30 days."),
    baseline: z
      .strictObject({
        atMost: percent({ min: 0.0001 }).describe("Upper bound of the share of failing operations in health."),
      })
      .optional()
      .describe("What health looks like; refused only if what is measured contradicts it. Default at most 0.1%."),
    slowerThan: duration()
      .optional()
      .describe("A success slower than this counts as degraded. Default 250ms, or the deadline if that is shorter."),
    deadline: duration()
      .optional()
      .describe("An operation without a definite answer within this time has failed. Default 250ms."),
    budget: z
      .strictObject({ failedOperations: count(1, 1_000_000_000).describe("Users' operations.") })
      .optional()
      .describe("The run is undone when more operations than this failed, whatever the statistics say. Default: none."),
    probes: perSecond({ max: 2000 })
      .optional()
      .describe("Probe operations per region. Each account does at most 36/s. Default 30/s."),
    suspectFor: duration()
      .optional()
      .describe("How long new instances may be under suspicion before they count as failing. Default 10s."),
    holdFor: duration()
      .optional()
      .describe("How long a missing or disturbed view is waited out before the run halts. Default 10m."),
  })
  .register(NOUN, { noun: "guard" });

const rehearsal = z
  .strictObject({
    soak: duration()
      .optional()
      .describe(
        "How long the environment of the rehearsal must carry the new release, the guard saying healthy, before the certificate is valid. Default 10m.",
      ),
    drillSoak: duration({ min: 0 })
      .optional()
      .describe(
        "Longest soak on the way of a drill, which takes everything back after it. The whole plan is walked with the soaks that it states. Default 10s.",
      ),
    validFor: duration().optional().describe("How long a certificate is valid. Default 7d."),
  })
  .register(NOUN, { noun: "rehearsal" });

export const planSchema = z
  .strictObject({
    $schema: editorSchema(),
    midflight: version(),
    plan: name().describe("Name of the plan; names of its runs begin with it."),
    summary: text().optional().describe("What it is for, in a line, for reports and pages."),
    components: z.record(name(), component).register(NOUN, { noun: "component" }).describe("What is upgraded."),
    steps: z
      .array(stepSchema)
      .min(1)
      .register(EXPECTED, { text: "a list of steps" })
      .describe("In this order, each guarded, each with its undo."),
    guard: guard.optional().describe("Judges users' operations all the while."),
    rehearsal: rehearsal.optional().describe("What `midflight rehearse` asks for."),
    backups: z
      .record(name(), z.array(backupActionSchema).min(1))
      .register(NOUN, { noun: "backup plan" })
      .optional()
      .describe(
        "Backup plans, by name: what runs when an undo fails, or when something goes wrong past a point of no return.",
      ),
  })
  .register(NOUN, { noun: "plan" });

export type PlanInput = z.infer<typeof planSchema>;
