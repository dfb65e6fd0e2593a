import { kubernetesDriver } from "../../src/adapters/kubernetes/driver.ts";
import type { KubernetesOptions } from "../../src/adapters/kubernetes/api/options.ts";
import type { Deployment, PodSet } from "../../src/adapters/kubernetes/api/objects.ts";
import { SETTLING_MS } from "../../src/adapters/kubernetes/route/workload-routed.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { KubernetesKind, KubernetesTraffic } from "../../src/plan/model.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Traffic } from "../../src/ports/traffic.ts";
import type { Workload } from "../../src/ports/workload.ts";
import { kubeCluster, type KubeCluster } from "./kube-cluster.ts";
import { kubeSets, type KubeSets } from "./kube-sets.ts";

/** The Kubernetes driver on two pretended clusters, tokyo and frankfurt. */
export type KubePlace<C = KubeCluster> = {
  readonly clusters: Readonly<Record<string, C>>;
  readonly options: KubernetesOptions;
  /** A conductor of its own. */
  open(): { readonly workload: Workload; readonly traffic: Traffic };
  close(): Promise<void>;
};

export const imageOf = (version: string): string => `registry/gateway@${digestOf(version)}`;
export const digestOf = (version: string): string => `sha256:${version.slice(0, 1).repeat(64)}`;
export const releaseOf = (version: string) => ({ release: `gateway@${version}`, digest: digestOf(version) });

/** The pretended gateway serves at once by what it has read. */
export const settled: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms === SETTLING_MS ? 20 : ms, signal),
};

export async function kubePlace(how: {
  readonly replicas: number;
  readonly clock?: Clock;
  readonly spec?: Partial<Deployment["spec"]>;
  readonly traffic?: KubernetesTraffic;
}): Promise<KubePlace> {
  const clusters = { tokyo: await kubeCluster(), frankfurt: await kubeCluster() };
  for (const [region, cluster] of Object.entries(clusters))
    cluster.deploy(region, imageOf("1.0"), how.replicas, how.spec);
  if (how.traffic?.kind === "httpRoute")
    for (const [region, cluster] of Object.entries(clusters)) cluster.expose(region);
  return placeOn(clusters, {
    kind: "Deployment",
    instances: how.replicas,
    clock: how.clock ?? settled,
    ...(how.traffic === undefined ? {} : { traffic: how.traffic }),
  });
}

/** The same with pods that are replaced in their places. */
export async function kubeSetPlace(how: {
  readonly kind: "StatefulSet" | "DaemonSet";
  readonly places: number;
  readonly spec?: Partial<PodSet["spec"]>;
}): Promise<KubePlace<KubeSets>> {
  const clusters = { tokyo: await kubeSets(), frankfurt: await kubeSets() };
  for (const [region, cluster] of Object.entries(clusters)) {
    if (how.kind === "StatefulSet") cluster.deployStateful(region, imageOf("1.0"), how.places, how.spec);
    else cluster.deployDaemon(region, imageOf("1.0"), how.places);
  }
  return placeOn(clusters, { kind: how.kind, instances: how.places, clock: systemClock });
}

type How = {
  readonly kind: KubernetesKind;
  readonly instances: number;
  readonly clock: Clock;
  readonly traffic?: KubernetesTraffic;
};

function placeOn<C extends KubeCluster | KubeSets>(
  clusters: Readonly<Record<string, C>>,
  { kind, instances, clock, traffic }: How,
): KubePlace<C> {
  const options: KubernetesOptions = {
    component: "gateway",
    config: {
      driver: "kubernetes",
      object: { kind, name: "gateway" },
      container: "gateway",
      service: "gateway",
      ...(traffic === undefined ? {} : { traffic }),
      contexts: { tokyo: "tokyo", frankfurt: "frankfurt" },
      isEntry: true,
      instances,
      port: 8080,
      readyDeadlineMs: 1_500,
    },
    kubeconfig: kubeconfigFor(Object.fromEntries(Object.entries(clusters).map(([region, { url }]) => [region, url]))),
    releases: Object.fromEntries(
      ["1.0", "2.0", "3.0"].map((version) => [`gateway@${version}`, { image: imageOf(version) }]),
    ),
    clock,
  };
  return {
    clusters,
    options,
    open: () => kubernetesDriver(options),
    close: async () => {
      await Promise.all(Object.values(clusters).map((cluster) => cluster.close()));
    },
  };
}

/** One cluster a region, each with a namespace of that name. */
export const kubeconfigFor = (servers: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: Object.entries(servers).map(([name, server]) => ({
        name,
        cluster: { server, "insecure-skip-tls-verify": true },
      })),
      users: [{ name: "tester", user: { token: "a-token" } }],
      contexts: Object.keys(servers).map((name) => ({
        name,
        context: { cluster: name, user: "tester", namespace: name },
      })),
      "current-context": Object.keys(servers)[0],
    },
    undefined,
    2,
  );
