import type * as z from "zod";
import type { Problem } from "../errors/problem.ts";
import { problemsOf } from "./issues.ts";
import { failed, type Parsed } from "./located.ts";
import type { BackupAction, Plan, PlanComponent, PlanGuard, PlanStep, Wave } from "../plan/model.ts";
import { didYouMean } from "./nearest.ts";
import { component as componentSchema, guard as guardSchema, planHead, STEP_KINDS, STEP_SCHEMAS, wave as waveSchema, type StepKind } from "./plan-schema.ts";
import { readSource, type Path, type Source } from "./source.ts";

/** Bytes → plan, or every problem at once. `migrations` stay as written; whoever reads files resolves them. */
export function parsePlan(bytes: Uint8Array, file: string): Parsed<Plan> {
  const read = readSource(bytes, file);
  if (read.source === undefined) return failed(read.problems);
  const { source } = read;
  const head = planHead.safeParse(source.value);
  const raw = (source.value as { readonly steps?: unknown } | null)?.steps;
  const steps = Array.isArray(raw) ? raw.map((step: unknown, index) => readStep(source, step, index)) : [];
  const problems = [...(head.success ? [] : problemsOf(source, head.error, [], knownKeys).filter((problem) => !isStepTypeProblem(problem))), ...steps.flatMap((step) => step.problems)];
  if (!head.success || problems.length > 0) return failed(problems);
  const { data } = head;
  const plan: Plan = {
    midflight: 1,
    file,
    name: data.plan,
    ...(data.summary === undefined ? {} : { summary: data.summary }),
    components: Object.fromEntries(Object.entries(data.components).map(([key, one]) => [key, componentOf(one)])),
    steps: steps.flatMap((step) => (step.step === undefined ? [] : [step.step])),
    guard: guardOf(data.guard),
    backups: Object.fromEntries(Object.entries(data.backups ?? {}).map(([key, actions]) => [key, actions.map((action) => backupOf(action))])),
  };
  return { ok: true, located: { value: plan, source } };
}

/** A step that is no map is told by `readStep`, with its place. */
const isStepTypeProblem = (problem: Problem): boolean => /^steps\[\d+\]$/.test(problem.path ?? "") && problem.code === "bad-type";

const shape = (schema: z.ZodObject): readonly string[] => Object.keys(schema.shape);

function knownKeys(path: Path): readonly string[] {
  if (path.length === 0) return shape(planHead);
  if (path[0] === "components") return shape(componentSchema);
  if (path[0] === "guard") return path.length === 1 ? shape(guardSchema) : path[1] === "baseline" ? ["atMost"] : ["failedOperations"];
  return path[0] === "backups" ? ["run", "verify", "timeout", "shell"] : [];
}

type ReadStep = { readonly step?: PlanStep; readonly problems: readonly Problem[] };

function readStep(source: Source, raw: unknown, index: number): ReadStep {
  const path: Path = ["steps", index];
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return { problems: [source.problem("bad-step", path, "a step is a map such as `- roll: gateway`")] };
  const keys = Object.keys(raw);
  const kinds = STEP_KINDS.filter((kind) => keys.includes(kind));
  const [kind] = kinds;
  if (kind === undefined) return { problems: [source.problem("unknown-step", path, `no step begins so; a step is one of ${STEP_KINDS.join(", ")}`, { ...(keys[0] === undefined ? {} : { key: keys[0] }), hint: didYouMean(keys[0] ?? "", STEP_KINDS) })] };
  const schema = STEP_SCHEMAS[kind] as z.ZodObject;
  const parsed = schema.safeParse(raw);
  if (!parsed.success) return { problems: problemsOf(source, parsed.error, path, (at) => stepKeys(kind, at)) };
  return { step: STEPS[kind](parsed.data as never), problems: [] };
}

function stepKeys(kind: StepKind, path: Path): readonly string[] {
  if (path.length === 2) return shape(STEP_SCHEMAS[kind]);
  if (path[2] === "waves") return shape(waveSchema);
  if (path[2] === "drain") return ["notice", "deadline"];
  if (path[2] === "dark") return ["exclude", "confidence"];
  if (path[2] === "approve") return ["who", "in"];
  return path[2] === "run" ? ["argv", "undo", "shell"] : [];
}

type Raw<Kind extends StepKind> = z.output<(typeof STEP_SCHEMAS)[Kind]>;
const patience = (raw: { readonly deadline?: number | undefined; readonly retries?: number | undefined }, deadlineMs: number, retries: number) => ({ deadlineMs: raw.deadline ?? deadlineMs, retries: raw.retries ?? retries });

const STEPS: { readonly [Kind in StepKind]: (raw: Raw<Kind>) => PlanStep } = {
  migrate: (raw) => ({
    kind: "migrate",
    component: raw.migrate,
    phase: raw.phase,
    irreversible: raw.irreversible ?? false,
    ...(raw.backup === undefined ? {} : { backup: raw.backup }),
    undo: raw.undo ?? "suspect",
    ...patience(raw, 300_000, 2),
  }),
  roll: (raw) => ({
    kind: "roll",
    component: raw.roll,
    ...(raw.dark === "none" ? {} : { dark: { excludePct: raw.dark?.exclude ?? 5, confidencePct: raw.dark?.confidence ?? 99 } }),
    drain: { noticeMs: raw.drain?.notice ?? 3_000, deadlineMs: raw.drain?.deadline ?? 10_000 },
    waves: (raw.waves ?? [{}]).map((one) => waveOf(one)),
    ...patience(raw, 120_000, 2),
  }),
  shift: (raw) => ({ kind: "shift", component: raw.shift, toPct: raw.to, regions: raw.regions ?? "rest", soakMs: raw.soak ?? 0, ...patience(raw, 30_000, 3) }),
  run: (raw) => {
    const how = Array.isArray(raw.run) ? { argv: raw.run } : raw.run;
    return { kind: "run", argv: how.argv, ...("undo" in how && how.undo !== undefined ? { undo: how.undo } : {}), shell: "shell" in how ? (how.shell ?? false) : false, ...patience(raw, 600_000, 0) };
  },
  soak: (raw) => ({ kind: "soak", ms: raw.soak }),
  verify: (raw) => ({ kind: "verify", component: raw.verify, ...patience(raw, 60_000, 2) }),
  approve: (raw) => ({ kind: "approve", who: raw.approve.who, in: raw.approve.in ?? ["demo", "production"] }),
};

const waveOf = (raw: z.output<typeof waveSchema>): Wave => ({ regions: raw.regions ?? "rest", batch: raw.batch ?? 1, surge: raw.surge ?? raw.batch ?? 1, soakMs: raw.soak ?? 0 });

const componentOf = (raw: z.output<typeof componentSchema>): PlanComponent => ({
  ...(raw.release === undefined ? {} : { release: raw.release }),
  ...(raw.migrations === undefined ? {} : { migrations: raw.migrations }),
  needs: raw.needs ?? [],
  floorPct: raw.floor ?? 100,
});

const guardOf = (raw: z.output<typeof guardSchema> = {}): PlanGuard => ({
  operations: raw.operations ?? ["order", "amend", "cancel"],
  falseAlarmEveryMs: raw.falseAlarms ?? 30 * 86_400_000,
  baselineAtMostPct: raw.baseline?.atMost ?? 0.1,
  slowerThanMs: raw.slowerThan ?? 250,
  deadlineMs: raw.deadline ?? 250,
  ...(raw.budget === undefined ? {} : { budgetFailedOperations: raw.budget.failedOperations }),
  probesPerSec: raw.probes ?? 30,
  suspectForMs: raw.suspectFor ?? 10_000,
  holdForMs: raw.holdFor ?? 600_000,
});

const backupOf = (raw: { readonly run?: readonly string[]; readonly verify?: string; readonly shell?: boolean | undefined; readonly timeout?: number | undefined }): BackupAction =>
  raw.run === undefined
    ? { kind: "verify", component: raw.verify ?? "", timeoutMs: raw.timeout ?? 60_000 }
    : { kind: "run", argv: raw.run, shell: raw.shell ?? false, timeoutMs: raw.timeout ?? 60_000 };
