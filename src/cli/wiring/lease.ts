import { dirname } from "node:path";
import type { Environment, Releases } from "../../plan/model.ts";
import type { Lease } from "../../ports/lease.ts";
import type { LeasePlace } from "../../ports/turns.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { inKubernetes, wireRegionalLeases } from "./kubernetes.ts";
import { Secrets } from "./secrets.ts";

/** The leases of a run: where its state is kept and, for components in Kubernetes, in every region besides, so that conductors whose state lies apart meet. */
export const wireLease = (
  { environment, plan, releases }: Pick<Loaded, "environment" | "plan" | "releases">,
  state: State,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Lease> =>
  leaseOver(
    { environment, placed: inKubernetes(environment, Object.keys(plan.components)), releases: releases.releases },
    state,
    env,
  );

export type Leased = {
  readonly environment: Environment;
  /** Those in Kubernetes, in the regions that count. */
  readonly placed: ReturnType<typeof inKubernetes>;
  readonly releases: Releases["releases"];
};

/** The same for whoever acts on components by hand, without a plan. */
export async function leaseOver(
  { environment, placed, releases }: Leased,
  state: State,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Lease> {
  const secrets = new Secrets(env, dirname(environment.file));
  const regional = new Map<string, (key: string) => readonly LeasePlace[]>();
  for (const { component, config } of placed) {
    const one = { component, config, releases, secrets, clock: state.clock };
    regional.set(leaseKey(environment.name, component), await wireRegionalLeases(one));
  }
  return regional.size === 0 ? state.lease : state.leaseBesides((key) => regional.get(key)?.(key) ?? []);
}

/** One conductor at a time acts on a component of an environment. */
export const leaseKey = (environment: string, component: string): string => `${environment}/${component}`;
