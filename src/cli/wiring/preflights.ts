import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import { isRolled } from "../../graph/rolled.ts";
import type { Plan, RollStep } from "../../plan/model.ts";
import { regionsOf } from "../../plan/regions-of.ts";
import type { Preflight } from "../../ports/preflight.ts";
import type { Loaded } from "../files/load.ts";
import { inKubernetes, optionsOf } from "./kubernetes.ts";
import { Secrets } from "./secrets.ts";

export type WiredPreflight = {
  readonly component: string;
  readonly regions: readonly string[];
  readonly preflight: Preflight;
};

/** One for each component that the plan changes and whose driver can look ahead. Throws `SECRET_MISSING`. */
export async function wirePreflights(
  { plan, graph, environment, releases: { releases } }: Loaded,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly WiredPreflight[]> {
  const placed = inKubernetes(environment, Object.keys(plan.components)).filter(({ component }) =>
    isRolled(graph, component),
  );
  if (placed.length === 0) return [];
  const { kubernetesPreflight } = await import("../../adapters/kubernetes/beside/preflight/preflight.ts");
  const secrets = new Secrets(env, dirname(environment.file));
  return placed.map(({ component, config }) => ({
    component,
    regions: regionsOf(environment, config),
    preflight: kubernetesPreflight(
      optionsOf({ component, config, releases, ...targetOf(plan, component), secrets, clock: systemClock }),
      intentFor(plan, component),
    ),
  }));
}

const targetOf = ({ components }: Plan, component: string): { readonly target?: string } => {
  const target = components[component]?.release;
  return target === undefined ? {} : { target };
};

/** What the plan's rolls of a component ask of its pods: the longest drain, and the shortest soak. */
function intentFor(plan: Plan, component: string): { readonly drain?: RollStep["drain"]; readonly soakMs?: number } {
  const rolls = plan.steps.filter((step): step is RollStep => step.kind === "roll" && step.component === component);
  const [drain] = rolls.map((roll) => roll.drain).toSorted((a, b) => lengthOf(b) - lengthOf(a));
  if (drain === undefined) return {};
  return { drain, soakMs: Math.min(...rolls.flatMap(({ waves }) => waves.map(({ soakMs }) => soakMs))) };
}

const lengthOf = ({ noticeMs, deadlineMs }: RollStep["drain"]): number => noticeMs + deadlineMs;
