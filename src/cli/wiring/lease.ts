import { dirname } from "node:path";
import type { Lease } from "../../ports/lease.ts";
import type { LeasePlace } from "../../ports/turns.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { Secrets } from "./secrets.ts";

/** The leases of a run: where its state is kept and, for components in Kubernetes, in every region besides, so that conductors whose state lies apart meet. */
export async function wireLease(
  loaded: Loaded,
  state: State,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Lease> {
  const { environment, plan, releases } = loaded;
  const secrets = new Secrets(env, dirname(environment.file));
  const regional = new Map<string, (key: string) => readonly LeasePlace[]>();
  for (const component of Object.keys(plan.components)) {
    const config = environment.components[component];
    if (config?.driver !== "kubernetes") continue;
    const { wireRegionalLeases } = await import("./kubernetes.ts");
    const placed = { component, config, releases: releases.releases, secrets, clock: state.clock };
    regional.set(leaseKey(environment.name, component), await wireRegionalLeases(placed));
  }
  return regional.size === 0 ? state.lease : state.leaseBesides((key) => regional.get(key)?.(key) ?? []);
}

/** One conductor at a time acts on a component of an environment. */
export const leaseKey = (environment: string, component: string): string => `${environment}/${component}`;
