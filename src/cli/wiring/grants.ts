import { dirname } from "node:path";
import type { Grant } from "../../adapters/kubernetes/beside/rbac.ts";
import { systemClock } from "../../adapters/system/clock.ts";
import { isRolled } from "../../graph/rolled.ts";
import { isEntry } from "../../plan/entry.ts";
import { regionsOf } from "../../plan/regions-of.ts";
import type { Loaded } from "../files/load.ts";
import { inKubernetes, optionsOf } from "./kubernetes.ts";
import { placedProbes } from "./probers.ts";
import { Secrets } from "./secrets.ts";

export type GrantsOrder = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Only of this region. */
  readonly region?: string;
  /** Namespace of Argo CD's applications or Flux's Helm releases, where those are to be paused. */
  readonly managersIn?: string;
};

/**
 * What clusters have to allow for a plan in an environment. Reads the kubeconfig where no namespace is stated, and asks no cluster.
 * Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`, `SECRET_MISSING`.
 */
export async function wireGrants(
  { plan, graph, environment, releases }: Loaded,
  order: GrantsOrder,
): Promise<readonly Grant[]> {
  const { grantsFor, needsOf, needsOfJobs, needsOfProbes, needsOfRuns, pausingGrants } =
    await import("../../adapters/kubernetes/beside/rbac.ts");
  const { connect } = await import("../../adapters/kubernetes/api/connection.ts");
  const { copiesOf } = await import("../../adapters/kubernetes/config.ts");
  const { switchedBy } = await import("../../adapters/kubernetes/switch/service-of.ts");
  const secrets = new Secrets(order.env, dirname(environment.file));
  // The rest of the environment is never looked at.
  const names = Object.keys(environment.components).filter((name) => {
    const found = environment.components[name];
    return Object.hasOwn(graph.components, name) || (found !== undefined && isEntry(found));
  });
  const placed = inKubernetes(environment, names).flatMap(({ component, config }) => {
    const namespaceIn = (context: string): string => {
      if (config.namespace !== undefined) return config.namespace;
      const { kubeconfig } = optionsOf({ component, config, releases: {}, secrets, clock: systemClock });
      return connect(kubeconfig, context, { now: () => systemClock.monotonic() }).namespace;
    };
    const release = releases.releases[plan.components[component]?.release ?? ""]?.kubernetes;
    return regionsOf(environment, config)
      .filter((region) => order.region === undefined || region === order.region)
      .map((region) => {
        const context = config.contexts[region] ?? region;
        return {
          region,
          context,
          namespace: namespaceIn(context),
          object: config.object,
          isRolled: isRolled(graph, component),
          isPlanned: Object.hasOwn(plan.components, component),
          config: copiesOf(release),
          ...switchedBy(config),
        };
      });
  });
  const { stateCluster, jobs, inCluster } = environment;
  const hasJobs = plan.steps.some((step) => step.kind === "run" && step.job !== undefined);
  const kept =
    order.region === undefined
      ? [
          ...(stateCluster === undefined ? [] : [needsOfRuns(stateCluster)]),
          ...(jobs === undefined || !hasJobs ? [] : [needsOfJobs(jobs)]),
        ]
      : [];
  const conductor =
    inCluster === undefined
      ? undefined
      : { name: inCluster.serviceAccount, namespace: inCluster.namespace, context: inCluster.context };
  const probed = placedProbes(environment)
    .filter(({ region }) => order.region === undefined || region === order.region)
    .map(({ place }) => needsOfProbes(place));
  const grants = grantsFor([...placed.map((one) => needsOf(one)), ...probed, ...kept], conductor);
  return order.managersIn === undefined ? grants : [...grants, ...pausingGrants(grants, order.managersIn)];
}
