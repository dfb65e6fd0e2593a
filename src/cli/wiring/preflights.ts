import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import { isRolled } from "../../graph/rolled.ts";
import type { Environment, Plan, RollStep } from "../../plan/model.ts";
import { regionsOf } from "../../plan/regions-of.ts";
import type { Preflight } from "../../ports/preflight.ts";
import type { Loaded } from "../files/load.ts";
import { inKubernetes, optionsOf } from "./kubernetes.ts";
import { kubeconfigFor, placedProbes } from "./probers.ts";
import { Secrets } from "./secrets.ts";

export type WiredPreflight = {
  readonly component: string;
  readonly regions: readonly string[];
  readonly preflight: Preflight;
};

/** One for each component that the plan changes and whose driver can look ahead, and one for each region whose probes run there. Throws `SECRET_MISSING`. */
export async function wirePreflights(
  { plan, graph, environment, releases: { releases } }: Loaded,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly WiredPreflight[]> {
  const placed = inKubernetes(environment, Object.keys(plan.components)).filter(({ component }) =>
    isRolled(graph, component),
  );
  const secrets = new Secrets(env, dirname(environment.file));
  const beside = [
    ...(await jobsOf({ plan, environment }, secrets)),
    ...(await wireProbesPreflights(environment, secrets)),
  ];
  if (placed.length === 0) return beside;
  const { kubernetesPreflight } = await import("../../adapters/kubernetes/beside/preflight/preflight.ts");
  const components = placed.map(({ component, config }) => ({
    component,
    regions: regionsOf(environment, config),
    preflight: kubernetesPreflight(
      optionsOf({ component, config, releases, ...targetOf(plan, component), secrets, clock: systemClock }),
      intentFor(plan, component),
    ),
  }));
  return [...components, ...beside];
}

/** Those of probes that run in their region. */
async function wireProbesPreflights(environment: Environment, secrets: Secrets): Promise<readonly WiredPreflight[]> {
  const placed = placedProbes(environment);
  if (placed.length === 0) return [];
  const { probesPreflight } = await import("../../adapters/kubernetes/prober/preflight.ts");
  return placed.map(({ region, place: { kubeconfig, ...place } }) => ({
    component: "the probes",
    regions: [region],
    preflight: probesPreflight({
      place,
      clock: systemClock,
      ...kubeconfigFor(secrets, region, kubeconfig),
    }),
  }));
}

/** Of the namespace where the plan's Jobs are made, if it has any. */
async function jobsOf(
  { plan, environment }: Pick<Loaded, "plan" | "environment">,
  secrets: Secrets,
): Promise<readonly WiredPreflight[]> {
  const { jobs } = environment;
  if (jobs === undefined || !plan.steps.some((step) => step.kind === "run" && step.job !== undefined)) return [];
  const { jobsPreflight } = await import("../../adapters/kubernetes/beside/preflight/jobs-preflight.ts");
  const { context, namespace, kubeconfig } = jobs;
  const place = {
    context,
    namespace,
    ...(kubeconfig === undefined ? {} : { kubeconfig: secrets.read(kubeconfig, "the kubeconfig for jobs") }),
  };
  return [{ component: "Jobs", regions: [context], preflight: jobsPreflight(place, systemClock) }];
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
