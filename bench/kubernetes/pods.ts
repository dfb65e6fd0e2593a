import { fileURLToPath } from "node:url";
import { until } from "../../test/cluster/commands.ts";
import { loadImage } from "../../test/cluster/images.ts";
import type { Cluster } from "./cluster.ts";

/** Names of the Deployment, its Service and its label, and of the container. */
export const PODS = "pods";
export const CONTAINER = "server";
export const POD_PORT = 8080;
export const REGION = "tokyo";
/** That all rollouts of the bench have. */
export const SURGE = 2;

/** `bad`: once it is struck it fails a third of users' orders, and none of the guard's probes. `worse`: fails a third of both from its start. */
export type Version = "1.0" | "2.0" | "bad" | "worse";
export type Manner = "drains" | "careless";
export type PodImages = Readonly<Record<Version, string>>;

const FAILING_SHARE = 1 / 3;
const PROGRAM = fileURLToPath(new URL("../pod-server.mjs", import.meta.url));

/** The release that an image is, as releases.yaml calls it. */
export const releaseOf = (version: Version): string => `gateway@${version}`;

/** `drains`: leaves as a server behind a Service must. `careless`: waits as long, and lets clients believe that their connections stay. */
export async function podImages({ places }: Cluster, manner: Manner): Promise<PodImages> {
  const name = `localhost/bench-${manner}`;
  const load = async (version: Version): Promise<string> => {
    const digest = await loadImage(places, {
      tag: `${name}:${version}`,
      files: { "app/pod-server.mjs": PROGRAM },
      entrypoint: ["/usr/bin/node", "/app/pod-server.mjs"],
      hasNode: true,
      env: {
        RELEASE: releaseOf(version),
        CARELESS: manner === "careless" ? "1" : "0",
        FAILING_SHARE: version === "bad" || version === "worse" ? String(FAILING_SHARE) : "0",
        FAILS_PROBES: version === "worse" ? "1" : "0",
        FAILS_WHEN_STRUCK: version === "bad" ? "1" : "0",
      },
    });
    return `${name}@${digest}`;
  };
  return {
    "1.0": await load("1.0"),
    "2.0": await load("2.0"),
    bad: await load("bad"),
    worse: await load("worse"),
  };
}

export const deploymentPath = (namespace: string): string =>
  `/apis/apps/v1/namespaces/${namespace}/deployments/${PODS}`;

export type DeploymentOrder = {
  readonly image: string;
  readonly replicas: number;
  /** Of the template's pods, beside their container. */
  readonly podSpec?: object;
};

/** As stock as can be, with the surge that all rollouts of the bench have. */
export const deploymentOf = ({ image, replicas, podSpec }: DeploymentOrder) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: PODS },
  spec: {
    replicas,
    selector: { matchLabels: { app: PODS } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: SURGE, maxUnavailable: 0 } },
    template: {
      metadata: { labels: { app: PODS } },
      spec: {
        terminationGracePeriodSeconds: 10,
        ...podSpec,
        containers: [
          {
            name: CONTAINER,
            image,
            imagePullPolicy: "Never",
            readinessProbe: { httpGet: { path: "/-/ready", port: POD_PORT }, periodSeconds: 1, failureThreshold: 3 },
          },
        ],
      },
    },
  },
});

export const serviceOf = () => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: PODS },
  spec: { selector: { app: PODS }, ports: [{ port: POD_PORT, targetPort: POD_PORT }] },
});

/** Makes the Deployment and its Service. Resolves with the Service's address, once it answers. */
export async function deployPods({ api }: Cluster, order: DeploymentOrder): Promise<string> {
  await api.call("POST", `/apis/apps/v1/namespaces/${REGION}/deployments`, deploymentOf(order));
  const service = (await api.call("POST", `/api/v1/namespaces/${REGION}/services`, serviceOf())) as {
    readonly spec: { readonly clusterIP: string };
  };
  await until("the pods", 120_000, async () => {
    const ready = await readyIn(api, REGION);
    return ready === order.replicas ? true : `${ready} of ${order.replicas} are ready`;
  });
  const url = `http://${service.spec.clusterIP}:${POD_PORT}`;
  await untilListed(api, REGION, order.replicas);
  await until("the Service", 15_000, async () => {
    const { status } = await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(1_000) });
    return status === 200 ? true : `it answers ${status}`;
  });
  return url;
}

type Slices = {
  readonly items: readonly {
    readonly endpoints: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
  }[];
};

/** Endpoints follow their pods a moment later. */
export async function untilListed(api: Cluster["api"], namespace: string, count: number): Promise<void> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${PODS}`;
  await until(`the endpoints of ${namespace}`, 15_000, async () => {
    const { items } = (await api.call("GET", path)) as Slices;
    const ready = items
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready === true);
    return ready.length === count ? true : `${ready.length} of ${count} are ready`;
  });
}

export async function readyIn(api: Cluster["api"], namespace: string): Promise<number> {
  const { status } = (await api.call("GET", deploymentPath(namespace))) as {
    readonly status?: { readonly readyReplicas?: number };
  };
  return status?.readyReplicas ?? 0;
}

/** Resolves once they are gone, with everybody who was leaving already. Where there are none, nothing is left to do. */
export async function removePods({ api }: Cluster): Promise<void> {
  for (const path of [deploymentPath(REGION), `/api/v1/namespaces/${REGION}/services/${PODS}`])
    await api.call("DELETE", path, { propagationPolicy: "Background" }).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.includes(": 404 "))) throw error;
    });
  await untilAlone(api, 0);
}

/** Resolves once nobody is on his way out any more, and so many are left and serve: what one rollout leaves behind must not weigh on the next. */
export async function untilAlone(api: Cluster["api"], count: number): Promise<void> {
  await until("old pods to be gone", 60_000, async () => {
    const { length } = await podsIn(api, REGION);
    return length === count ? true : `${length} pods are there`;
  });
  if (count > 0) await untilListed(api, REGION, count);
}

export type PodSeen = {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: { readonly podIP?: string };
};

export const podsIn = async (api: Cluster["api"], namespace: string): Promise<readonly PodSeen[]> =>
  ((await api.call("GET", `/api/v1/namespaces/${namespace}/pods`)) as { readonly items: readonly PodSeen[] }).items;
