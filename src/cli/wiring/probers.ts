import { dirname } from "node:path";
import { systemClock } from "../../adapters/system/clock.ts";
import type { ProberBrief } from "../../adapters/guard-thread/prober/prober-brief.ts";
import type { Environment, PlanGuard, ProbeTarget, Value } from "../../plan/model.ts";
import { originOf } from "../../plan/probe-origin.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LeftProbers } from "../../ports/left-probers.ts";
import type { Prober } from "../../ports/prober.ts";
import { Secrets } from "./secrets.ts";

type ProbersOrder = { readonly run: string; readonly prefix: string; readonly secrets: Secrets; readonly clock: Clock };

/** Region → who probes it from within, where the environment says so. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`, `SECRET_MISSING`. */
export async function wireProbers(
  environment: Environment,
  guard: PlanGuard,
  { run, prefix, secrets, clock }: ProbersOrder,
): Promise<Readonly<Record<string, Prober>>> {
  const placed = placedProbes(environment);
  if (placed.length === 0) return {};
  const { kubernetesProber } = await import("../../adapters/kubernetes/prober/prober.ts");
  const probers = placed.map(({ region, probe, place: { kubeconfig, ...place } }): [string, Prober] => [
    region,
    kubernetesProber({
      place,
      region,
      run,
      environment: environment.name,
      brief: JSON.stringify(briefOf(environment, { guard, region, probe, prefix })),
      clock,
      ...kubeconfigFor(secrets, region, kubeconfig),
    }),
  ]);
  return Object.fromEntries(probers);
}

/** None: that of the environment variable, or the usual file. */
export const kubeconfigFor = (
  secrets: Secrets,
  region: string,
  kubeconfig: Value | undefined,
): { readonly kubeconfig?: string } =>
  kubeconfig === undefined
    ? {}
    : { kubeconfig: secrets.read(kubeconfig, `the kubeconfig for the probes of ${region}`) };

/** What runs left of probes in each such region. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`, `SECRET_MISSING`. */
export async function wireLeftProbers(
  environment: Environment,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly { readonly region: string; readonly left: LeftProbers }[]> {
  const placed = placedProbes(environment);
  if (placed.length === 0) return [];
  const secrets = new Secrets(env, dirname(environment.file));
  const { leftProbers } = await import("../../adapters/kubernetes/prober/left-probers.ts");
  return placed.map(({ region, place: { kubeconfig, ...place } }) => ({
    region,
    left: leftProbers({
      environment: environment.name,
      region,
      place,
      clock: systemClock,
      ...kubeconfigFor(secrets, region, kubeconfig),
    }),
  }));
}

/** Regions whose probes run there. */
export const placedProbes = ({ regions }: Pick<Environment, "regions">) =>
  Object.entries(regions).flatMap(([region, { probe }]) =>
    probe?.in === undefined ? [] : [{ region, probe, place: probe.in }],
  );

type Told = Pick<ProberBrief, "guard" | "region" | "probe" | "prefix">;

function briefOf({ regions, rules }: Environment, { probe, ...told }: Told): ProberBrief {
  const own = originOf(probe);
  const named = probe.rules === undefined ? undefined : rules[probe.rules];
  return {
    midflight: 1,
    ...told,
    probe: withoutPlace(probe),
    rules: probe.rules === undefined || named === undefined ? {} : { [probe.rules]: named },
    // Orders of a venue are seen through every region of it.
    otherOrigins: Object.values(regions).flatMap(({ probe: other }) =>
      other?.kind === "okx" && originOf(other) !== own ? [originOf(other)] : [],
    ),
  };
}

const withoutPlace = ({ in: _place, ...probe }: ProbeTarget): ProbeTarget => probe;
