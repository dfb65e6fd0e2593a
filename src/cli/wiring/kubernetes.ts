import type { KubernetesOptions } from "../../adapters/kubernetes/api/options.ts";
import type { Killing } from "../../adapters/kubernetes/kill-pods.ts";
import type { Environment, KubernetesComponent, KubernetesRelease, Releases } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Facts } from "../../ports/facts.ts";
import type { LeasePlace } from "../../ports/turns.ts";
import { workloadFacts } from "../../rehearsal/parity/workload-facts.ts";
import type { World } from "../../runtime/world.ts";
import type { Secrets } from "./secrets.ts";

type Placed = {
  readonly component: string;
  readonly config: KubernetesComponent;
  readonly releases: Releases["releases"];
  /** Name of the release that shall run. Absent: nothing is changed here. */
  readonly target?: string;
  readonly secrets: Secrets;
  readonly clock: Clock;
};

/** Loaded only here: whoever has no component in Kubernetes pays nothing for its client. */
export async function wireKubernetes(placed: Placed): Promise<World["workloads"][string]> {
  const { kubernetesDriver } = await import("../../adapters/kubernetes/driver.ts");
  return kubernetesDriver(optionsOf(placed));
}

/** What runs, and how the Deployments are set up. */
export async function wireKubernetesFacts(placed: Placed): Promise<Facts> {
  const { kubernetesDriver } = await import("../../adapters/kubernetes/driver.ts");
  const { deploymentFacts } = await import("../../adapters/kubernetes/beside/facts.ts");
  const options = optionsOf(placed);
  const { workload } = kubernetesDriver(options);
  const instances = workloadFacts(placed.component, Object.keys(placed.config.contexts), workload);
  const deployments = deploymentFacts(options);
  return {
    collect: async (signal) => (await Promise.all([instances, deployments].map((one) => one.collect(signal)))).flat(),
  };
}

/** Pods of a region that die for a drill. */
export async function wireKilling(placed: Placed, region: string, digest?: string): Promise<Killing> {
  const { killPods } = await import("../../adapters/kubernetes/kill-pods.ts");
  return killPods(optionsOf(placed), region, digest);
}

/** Those of the named components that stand in Kubernetes. */
export const inKubernetes = (
  environment: Environment,
  names: readonly string[],
): readonly { readonly component: string; readonly config: KubernetesComponent }[] =>
  names.flatMap((component) => {
    const config = environment.components[component];
    return config?.driver === "kubernetes" ? [{ component, config }] : [];
  });

/** A lease in every region, beside the Deployment. */
export async function wireRegionalLeases(placed: Placed): Promise<(key: string) => readonly LeasePlace[]> {
  const { regionalLeases } = await import("../../adapters/kubernetes/state/lease-places.ts");
  return regionalLeases(optionsOf(placed));
}

export function optionsOf({ component, config, releases, target, secrets, clock }: Placed): KubernetesOptions {
  const { kubeconfig, named: _, ...rest } = config;
  const images = Object.entries(releases).flatMap(([name, { kubernetes }]): [string, KubernetesRelease][] =>
    kubernetes === undefined ? [] : [[name, kubernetes]],
  );
  return {
    component,
    config: rest,
    releases: Object.fromEntries(images),
    ...(target === undefined ? {} : { target }),
    clock,
    ...(kubeconfig === undefined ? {} : { kubeconfig: secrets.read(kubeconfig, `the kubeconfig of ${component}`) }),
  };
}
