import { fileURLToPath } from "node:url";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import { RESOURCES } from "../../../src/adapters/kubernetes/api/api-failure.ts";
import type { Deployment, PodSet } from "../../../src/adapters/kubernetes/api/objects.ts";
import type { KubernetesOptions } from "../../../src/adapters/kubernetes/api/options.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { KubernetesKind, KubernetesTraffic } from "../../../src/plan/model.ts";
import type { Traffic } from "../../../src/ports/traffic.ts";
import type { Workload } from "../../../src/ports/workload.ts";
import { apiAt, type Api } from "../api.ts";
import { up } from "../cluster.ts";
import { until } from "../commands.ts";
import { apiUrl, type ClusterFacts } from "../facts.ts";
import { loadImage } from "../images.ts";
import { caOf } from "../kubeconfig.ts";
import { placesOf, type Places } from "../places.ts";
import { relayTo, type Relay } from "../relay.ts";

export const REGIONS = ["tokyo", "frankfurt"];
const PROGRAM = fileURLToPath(new URL("./gateway.mjs", import.meta.url));

/** What is wrong with a release. */
const FLAWS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "3.0": { NEVER_READY: "1" },
  "4.0": { ENDS_WITH: "3" },
};

/** The cluster, with images of four releases in it: the third one never gets ready, and the fourth one ends as soon as it starts. */
export type Ground = {
  readonly api: Api;
  readonly facts: ClusterFacts;
  readonly places: Places;
  readonly ca: string;
  /** `1.0` → its image with its digest. */
  readonly images: Readonly<Record<string, string>>;
};

/** The cluster that `npm run test:cluster` made, or that is made now. */
export async function findGround(): Promise<Ground> {
  const places = placesOf(process.env["MIDFLIGHT_CLUSTER"] ?? "test");
  return groundOn(places, await up({ places, regions: REGIONS, hasNode: true, mayInstall: false, say: () => {} }));
}

/** A cluster that is up, with the regions. */
export async function groundOn(places: Places, facts: ClusterFacts): Promise<Ground> {
  const images: Record<string, string> = {};
  for (const version of ["1.0", "2.0", "3.0", "4.0"]) {
    const digest = await loadImage(places, {
      tag: `localhost/gateway:${version}`,
      files: { "app/gateway.mjs": PROGRAM },
      entrypoint: ["/usr/bin/node", "/app/gateway.mjs"],
      hasNode: true,
      env: { RELEASE: version, ...FLAWS[version] },
    });
    images[version] = `localhost/gateway@${digest}`;
  }
  const ca = caOf(places);
  return { api: await apiAt(apiUrl(facts), facts.tokens.admin, ca), facts, places, ca, images };
}

/** A Deployment with its Service in both regions, under a name that nobody else has. */
export type Place = {
  readonly name: string;
  readonly options: KubernetesOptions;
  readonly driver: { readonly workload: Workload; readonly traffic: Traffic };
  release(version: string): { readonly release: string; readonly digest: string };
  deployment(region: string): Promise<Deployment>;
  /** The StatefulSet or DaemonSet, where it is one. */
  set(region: string): Promise<PodSet>;
  /** Address of the Service, in tokyo. */
  readonly service: string;
  /** It answers its readiness probe, or no longer. Resolves once the cluster has noticed. */
  setReady(pod: string, isReady: boolean): Promise<void>;
  cut(region: string): Promise<void>;
  /** The way that was cut is open again. */
  mend(region: string): Promise<void>;
  close(): Promise<void>;
};

export async function placeOn(
  ground: Ground,
  how: {
    readonly replicas: number;
    readonly readyDeadlineMs?: number;
    readonly kind?: KubernetesKind;
    /** What else its pods' container says. */
    readonly container?: object;
    readonly traffic?: KubernetesTraffic | ((name: string) => KubernetesTraffic);
  },
): Promise<Place> {
  const { api, facts, images } = ground;
  const name = `gateway-${Math.random().toString(36).slice(2, 8)}`;
  const { kind = "Deployment" } = how;
  const traffic = typeof how.traffic === "function" ? how.traffic(name) : how.traffic;
  const resource = RESOURCES[kind];
  const relays: Record<string, Relay> = {};
  for (const region of REGIONS) relays[region] = await relayTo(facts.ports.api);
  for (const region of REGIONS)
    await api.call(
      "POST",
      `/apis/apps/v1/namespaces/${region}/${resource}`,
      objectOf(kind, { name, image: images["1.0"] ?? "", replicas: how.replicas, container: how.container ?? {} }),
    );
  const services = await Promise.all(
    REGIONS.map((region) => api.call("POST", `/api/v1/namespaces/${region}/services`, serviceOf(name))),
  );
  const [service] = services as readonly { readonly spec: { readonly clusterIP: string } }[];
  const options: KubernetesOptions = {
    component: "gateway",
    config: {
      driver: "kubernetes",
      object: { kind, name },
      container: "gateway",
      service: name,
      ...(traffic === undefined ? {} : { traffic }),
      contexts: { tokyo: "tokyo", frankfurt: "frankfurt" },
      isEntry: true,
      instances: how.replicas,
      port: 8080,
      readyDeadlineMs: how.readyDeadlineMs ?? 60_000,
    },
    kubeconfig: kubeconfigOf(ground, relays),
    releases: Object.fromEntries(Object.entries(images).map(([version, image]) => [`gateway@${version}`, { image }])),
    clock: systemClock,
  };
  const driver = kubernetesDriver(options);
  const { signal } = new AbortController();
  const find = async (pod: string) =>
    (await driver.workload.observe("tokyo", signal)).instances.find(({ id }) => id === pod);
  return {
    name,
    options,
    driver,
    service: `http://${service?.spec.clusterIP ?? ""}/`,
    release: (version) => ({ release: `gateway@${version}`, digest: images[version]?.split("@")[1] ?? "" }),
    deployment: async (region) =>
      (await api.call("GET", `/apis/apps/v1/namespaces/${region}/deployments/${name}`)) as Deployment,
    set: async (region) => (await api.call("GET", `/apis/apps/v1/namespaces/${region}/${resource}/${name}`)) as PodSet,
    async setReady(pod, isReady) {
      const address = (await find(pod))?.address ?? "nowhere";
      await fetch(`http://${address}/-/${isReady ? "mend" : "break"}`, { method: "POST" });
      await until(
        `${pod} to be seen ${isReady ? "ready" : "not ready"}`,
        15_000,
        async () => (await find(pod))?.ready === isReady || "it is not seen so",
        200,
      );
    },
    cut: async (region) => relays[region]?.close(),
    async mend(region) {
      relays[region] = await relayTo(facts.ports.api, "127.0.0.1", relays[region]?.port);
    },
    async close() {
      await Promise.all(Object.values(relays).map((relay) => relay.close()));
      for (const region of REGIONS) {
        await api.call("DELETE", `/api/v1/namespaces/${region}/services/${name}`);
        await api.call("DELETE", `/apis/apps/v1/namespaces/${region}/${resource}/${name}`, {
          propagationPolicy: "Background",
        });
        await api.call(
          "DELETE",
          `/api/v1/namespaces/${region}/pods?labelSelector=${encodeURIComponent(`midflight.dev/dark=${name}`)}`,
        );
      }
    },
  };
}

type Wanted = {
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  readonly container: object;
};

const objectOf = (kind: KubernetesKind, { name, image, replicas, container }: Wanted) => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name },
  spec: {
    // A DaemonSet has a pod on each node.
    ...(kind === "DaemonSet" ? {} : { replicas }),
    ...(kind === "StatefulSet" ? { serviceName: name } : {}),
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 10,
        containers: [
          {
            name: "gateway",
            image,
            imagePullPolicy: "Never",
            readinessProbe: { httpGet: { path: "/-/ready", port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
            ...container,
          },
        ],
      },
    },
  },
});

const serviceOf = (name: string) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
});

const kubeconfigOf = ({ facts, ca }: Ground, relays: Readonly<Record<string, Relay>>): string =>
  JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: Object.entries(relays).map(([name, { port }]) => ({
        name,
        cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": ca },
      })),
      users: [{ name: "admin", user: { token: facts.tokens.admin } }],
      contexts: Object.keys(relays).map((name) => ({
        name,
        context: { cluster: name, user: "admin", namespace: name },
      })),
      "current-context": "tokyo",
    },
    undefined,
    2,
  );
