import type { ClusterConductor } from "../../adapters/kubernetes/jobs/conductor.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import type { ConductorPlace, Environment } from "../../plan/model.ts";

export type WiredConductor = ClusterConductor;

/** The conductor of an environment's runs in the cluster. Throws `INCLUSTER_IMPOSSIBLE`, `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export async function wireConductor(environment: Environment, place: ConductorPlace): Promise<ClusterConductor> {
  const { clusterConductor } = await import("../../adapters/kubernetes/jobs/conductor.ts");
  return clusterConductor({ place, contexts: contextsOf(environment), clock: systemClock });
}

/** Those that come without a kubeconfig of their own. */
const contextsOf = ({ components, stateCluster, jobs, regions }: Environment): readonly string[] => [
  ...Object.values(regions).flatMap(({ probe }) =>
    probe?.in === undefined || probe.in.kubeconfig !== undefined ? [] : [probe.in.context],
  ),
  ...(stateCluster === undefined ? [] : [stateCluster.context]),
  ...(jobs === undefined || jobs.kubeconfig !== undefined ? [] : [jobs.context]),
  ...Object.values(components).flatMap((component) =>
    component.driver === "kubernetes" && component.kubeconfig === undefined ? Object.values(component.contexts) : [],
  ),
];
