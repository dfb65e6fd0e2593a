import { Bug } from "../errors/bug.ts";
import type { Environment, Migration, MigrateStep, Plan, PlanStep, RollStep, ShiftStep } from "../plan/model.ts";
import { compileRoll } from "./compile-roll.ts";
import type { GraphComponent, WorkloadComponent } from "./graph.ts";
import { programText, type Move } from "./move.ts";
import { seconds } from "./seconds.ts";

export type StepContext = {
  readonly plan: Plan;
  readonly environment: Environment;
  readonly components: Readonly<Record<string, GraphComponent>>;
  readonly migrations: Readonly<Record<string, readonly Migration[]>>;
};

/** One step of the plan → its moves. Ids start with the step's number and what it is about: `2-roll-gateway/…`. */
export function compileStep(context: StepContext, step: PlanStep, index: number): readonly Move[] {
  const id = stepId(step, index);
  const patience =
    "deadlineMs" in step ? { deadlineMs: step.deadlineMs, retries: step.retries } : { deadlineMs: 0, retries: 0 };
  const stem = { id, step: index, ...patience };
  switch (step.kind) {
    case "migrate":
      return [migrate(context, step, stem)];
    case "roll":
      return compileRoll(workload(context, step.component), step, stem, regionSets(context, step.component, step));
    case "shift":
      return shift(context, step, stem);
    case "run":
      return [
        {
          ...stem,
          kind: "run",
          argv: step.argv,
          ...(step.job === undefined ? {} : { job: step.job }),
          ...(step.undo === undefined ? {} : { undo: step.undo }),
          shell: step.shell,
          title: `run ${programText(step)}`,
        },
      ];
    case "soak":
      return [{ ...stem, kind: "soak", ms: step.ms, title: `soak ${seconds(step.ms)}` }];
    case "verify":
      return [{ ...stem, kind: "verify", component: step.component, title: `verify ${step.component}` }];
    case "approve":
      return step.in.includes(context.environment.class)
        ? [{ ...stem, kind: "approve", who: step.who, title: `approval by ${step.who}` }]
        : [];
  }
}

/** Text that names a step in ids, unique through its number. */
export const stepId = (step: PlanStep, index: number): string => {
  const about = "component" in step ? `-${step.component}` : "";
  const phase = step.kind === "migrate" ? `-${step.phase}` : "";
  return `${index + 1}-${step.kind}${about}${phase}`;
};

type Bare = Omit<Move, "title" | "kind">;

function migrate(
  context: StepContext,
  step: MigrateStep,
  stem: Pick<Bare, "id" | "step" | "deadlineMs" | "retries">,
): Move {
  const names = (context.migrations[step.component] ?? [])
    .filter((file) => file.phase === step.phase)
    .map((file) => file.name);
  return {
    ...stem,
    kind: "migrate",
    component: step.component,
    phase: step.phase,
    names,
    irreversible: step.irreversible,
    ...(step.backup === undefined ? {} : { backup: step.backup }),
    undo: step.undo,
    title: `${step.phase} ${step.component}: ${names.join(", ")}`,
  };
}

function shift(
  context: StepContext,
  step: ShiftStep,
  stem: Pick<Bare, "id" | "step" | "deadlineMs" | "retries">,
): readonly Move[] {
  const component = workload(context, step.component);
  const regions = step.regions === "rest" ? component.regions : step.regions;
  const move: Move = {
    ...stem,
    kind: "shift",
    component: step.component,
    regions,
    toPct: step.toPct,
    title: `shift ${step.toPct}% to ${component.target.release} in ${regions.join(", ")}`,
  };
  const soak: Move = {
    ...stem,
    id: `${stem.id}/soak`,
    kind: "soak",
    ms: step.soakMs,
    title: `soak ${seconds(step.soakMs)}`,
  };
  return step.soakMs > 0 ? [move, soak] : [move];
}

function workload(context: StepContext, name: string): WorkloadComponent {
  const component = context.components[name];
  if (component?.kind !== "workload") throw new Bug(`${name} is no workload`);
  return component;
}

/** The regions of each wave; `rest` is whatever no earlier wave named. */
function regionSets(context: StepContext, name: string, step: RollStep): readonly (readonly string[])[] {
  const named = new Set<string>();
  return step.waves.map((wave) => {
    const regions =
      wave.regions === "rest" ? workload(context, name).regions.filter((region) => !named.has(region)) : wave.regions;
    for (const region of regions) named.add(region);
    return regions;
  });
}
