import { defined } from "./defined.ts";
import { mapValues } from "./map-values.ts";
import type {
  BackupAction,
  DarkProof,
  EnvironmentClass,
  Operation,
  Patience,
  Plan,
  PlanComponent,
  PlanGuard,
  PlanStep,
  RollStep,
  RunStep,
  Wave,
} from "./model.ts";
import { VENUE_OPERATIONS } from "./operations-of.ts";
import type { PlanInput } from "./schema/plan-schema.ts";
import { everyMsOf, msOf, msOr, percentOf, percentOr, perSecondOf } from "./value-of.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

/** What is written → what it means: numbers for texts with units, defaults filled in. */
export const toPlan = (input: PlanInput, file: string): Plan =>
  defined({
    midflight: input.midflight,
    file,
    name: input.plan,
    summary: input.summary,
    components: mapValues(input.components, (component) => toComponent(component)),
    steps: input.steps.map((step) => toStep(step)),
    guard: toGuard(input.guard ?? {}),
    rehearsal: {
      soakMs: msOr(input.rehearsal?.soak, 10 * MINUTE),
      drillSoakMs: msOr(input.rehearsal?.drillSoak, 10_000),
      validForMs: msOr(input.rehearsal?.validFor, 7 * DAY),
    },
    backups: mapValues(input.backups ?? {}, (actions) => actions.map((action) => toBackupAction(action))),
  });

const toComponent = (input: PlanInput["components"][string]): PlanComponent =>
  defined({
    release: input.release,
    migrations: input.migrations,
    needs: input.needs ?? [],
    floorPct: percentOr(input.floor, 100),
  });

type StepInput = PlanInput["steps"][number];

function toStep(input: StepInput): PlanStep {
  if ("migrate" in input)
    return defined({
      kind: "migrate" as const,
      component: input.migrate,
      phase: input.phase,
      irreversible: input.irreversible ?? false,
      backup: input.backup,
      undo: input.undo ?? ("suspect" as const),
      ...patience(input, 5 * MINUTE, 3),
    });
  if ("roll" in input) return toRoll(input);
  if ("shift" in input)
    return {
      kind: "shift",
      component: input.shift,
      toPct: percentOf(input.to),
      regions: input.regions ?? "rest",
      soakMs: msOr(input.soak, 0),
      ...patience(input, MINUTE, 2),
    };
  if ("run" in input) return toRun(input);
  if ("soak" in input) return { kind: "soak", ms: msOf(input.soak) };
  if ("verify" in input) return { kind: "verify", component: input.verify, ...patience(input, MINUTE, 2) };
  return { kind: "approve", who: input.approve.who, in: input.approve.in ?? ALL_CLASSES };
}

const ALL_CLASSES: readonly EnvironmentClass[] = ["demo", "production"];

const patience = (
  input: { readonly deadline?: string | undefined; readonly retries?: number | undefined },
  deadlineMs: number,
  retries: number,
): Patience => ({
  deadlineMs: msOr(input.deadline, deadlineMs),
  retries: input.retries ?? retries,
});

type RollInput = Extract<StepInput, { readonly roll: string }>;

const toRoll = (input: RollInput): RollStep =>
  defined({
    kind: "roll" as const,
    component: input.roll,
    dark: toDark(input.dark),
    drain: { noticeMs: msOr(input.drain?.notice, 3_000), deadlineMs: msOr(input.drain?.deadline, 10_000) },
    waves: (input.waves ?? [{ regions: "rest" as const }]).map((wave) => toWave(wave)),
    ...patience(input, 5 * MINUTE, 2),
  });

function toDark(input: RollInput["dark"]): DarkProof | undefined {
  if (input === "none") return undefined;
  return { excludePct: percentOr(input?.exclude, 5), confidencePct: percentOr(input?.confidence, 99) };
}

function toWave(input: NonNullable<RollInput["waves"]>[number]): Wave {
  const batch = input.batch ?? 1;
  return defined({
    regions: input.regions,
    batch,
    surge: input.surge ?? batch,
    sharesPct: input.shares?.map((share) => percentOf(share)),
    soakMs: msOr(input.soak, 0),
  });
}

type RunInput = Extract<StepInput, { readonly run: unknown }>;

function toRun(input: RunInput): RunStep {
  const program = programIn(input.run);
  return defined({
    kind: "run" as const,
    argv: program.argv,
    job: "job" in program ? program.job : undefined,
    undo: "undo" in program ? program.undo : undefined,
    shell: ("shell" in program ? program.shell : undefined) ?? false,
    ...patience(input, 5 * MINUTE, 0),
  });
}

/** A Job has no command line here. */
function programIn(run: RunInput["run"]) {
  if ("job" in run) return { argv: [], job: defined(run.job), undo: run.undo };
  return "argv" in run ? run : { argv: run };
}

const toBackupAction = (input: NonNullable<PlanInput["backups"]>[string][number]): BackupAction =>
  "run" in input
    ? { kind: "run", argv: input.run, shell: input.shell ?? false, timeoutMs: msOr(input.timeout, 5 * MINUTE) }
    : { kind: "verify", component: input.verify, timeoutMs: msOr(input.timeout, MINUTE) };

/** What is judged where no plan says it: these operations, by the defaults. */
export const plainGuard = (operations: readonly Operation[] = VENUE_OPERATIONS): PlanGuard => ({
  ...toGuard({}),
  operations,
});

const toGuard = (input: NonNullable<PlanInput["guard"]>): PlanGuard =>
  defined({
    operations: input.operations ?? VENUE_OPERATIONS,
    falseAlarmEveryMs: input.falseAlarms === undefined ? 30 * DAY : everyMsOf(input.falseAlarms),
    baselineAtMostPct: percentOr(input.baseline?.atMost, 0.1),
    slowerThanMs: msOr(input.slowerThan, Math.min(250, msOr(input.deadline, 250))),
    deadlineMs: msOr(input.deadline, 250),
    budgetFailedOperations: input.budget?.failedOperations,
    probesPerSec: input.probes === undefined ? 30 : perSecondOf(input.probes),
    suspectForMs: msOr(input.suspectFor, 10_000),
    holdForMs: msOr(input.holdFor, 10 * MINUTE),
  });
