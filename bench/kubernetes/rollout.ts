import { apiOf, type Api as WatchingApi } from "../../src/adapters/kubernetes/api/api.ts";
import { connect } from "../../src/adapters/kubernetes/api/connection.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Cluster } from "./cluster.ts";
import { CONTAINER, deploymentPath, PODS, REGION, SURGE } from "./pods.ts";

/** What `kubectl rollout status` looks at. */
type Rolling = {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
};

/**
 * `kubectl set image` and `kubectl rollout status`, by the requests that they send and without the time that kubectl takes to start: the image is
 * patched, and the Deployment watched until it has rolled.
 */
export type Rollout = {
  /** Resolves with the version of the Deployment that asks for it. */
  setImage(image: string): Promise<number>;
  /** Resolves once that version has rolled to its end. */
  done(version: number, signal: AbortSignal): Promise<void>;
  /** Sets the image, and lets the rollout stand where so many pods of it serve and as many others have left. */
  setImageOf(count: number, image: string, signal: AbortSignal): Promise<void>;
  /** What `kubectl rollout undo` does: the image is what it was. Whatever let the rollout stand goes with the same patch. */
  undo(image: string): Promise<void>;
};

const LIMIT_MS = 180_000;

export function rolloutOn({ api, places }: Cluster): Rollout {
  const watching = apiOf(connect(places.kubeconfig, REGION, { now: () => systemClock.monotonic() }), systemClock);
  const patched = async (spec: object): Promise<number> => {
    const patch = "application/strategic-merge-patch+json";
    return ((await api.call("PATCH", deploymentPath(REGION), { spec }, patch)) as Rolling).metadata.generation;
  };
  return {
    setImage: (image) => patched(templateOf(image)),
    done: (version, signal) => seen(watching, (one) => isObserved(one, version) && hasRolled(one), signal),
    async setImageOf(count, image, signal) {
      const version = await patched({ ...STANDING, ...rollingBy(0, count), ...templateOf(image) });
      const isThere = ({ spec, status: { replicas, readyReplicas, updatedReplicas } = {} }: Rolling): boolean =>
        updatedReplicas === count && replicas === spec.replicas && readyReplicas === spec.replicas;
      await seen(watching, (one) => isObserved(one, version) && isThere(one), signal);
    },
    async undo(image) {
      await patched({ ...MOVING, ...rollingBy(SURGE, 0), ...templateOf(image) });
    },
  };
}

const templateOf = (image: string) => ({ template: { spec: { containers: [{ name: CONTAINER, image }] } } });
const rollingBy = (maxSurge: number, maxUnavailable: number) => ({
  strategy: { rollingUpdate: { maxSurge, maxUnavailable } },
});
/** New pods never count as available, so that the controller stops by itself. */
const STANDING = { minReadySeconds: 2_147_483_646, progressDeadlineSeconds: 2_147_483_647 };
/** As Kubernetes has it where nobody says anything. */
const MOVING = { minReadySeconds: 0, progressDeadlineSeconds: 600 };

const isObserved = ({ metadata, status }: Rolling, version: number): boolean =>
  metadata.generation >= version && (status?.observedGeneration ?? 0) >= version;

/** kubectl's own rule. */
function hasRolled({ spec, status }: Rolling): boolean {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {};
  return updatedReplicas >= spec.replicas && replicas <= updatedReplicas && availableReplicas >= updatedReplicas;
}

async function seen(api: WatchingApi, isSo: (deployment: Rolling) => boolean, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(LIMIT_MS);
  const end = new AbortController();
  const within = AbortSignal.any([signal, limit, end.signal]);
  try {
    for (;;) {
      const query = { fieldSelector: `metadata.name=${PODS}` };
      for await (const { type, object } of api.watch<Rolling>({ resource: "deployments", query }, within))
        if (type !== "BOOKMARK" && isSo(object)) return;
    }
  } finally {
    end.abort();
  }
}
