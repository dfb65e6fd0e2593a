import { apiOf, type Api as WatchingApi } from "../../src/adapters/kubernetes/api.ts";
import { connect } from "../../src/adapters/kubernetes/connection.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Cluster } from "./cluster.ts";
import { CONTAINER, deploymentPath, PODS, REGION } from "./pods.ts";

/** What `kubectl rollout status` looks at. */
type Rolling = {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
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
  /** Resolves once so many pods of the new template are there, whatever became of the others. */
  begun(version: number, updated: number, signal: AbortSignal): Promise<void>;
};

const LIMIT_MS = 180_000;

export function rolloutOn({ api, places }: Cluster): Rollout {
  const watching = apiOf(connect(places.kubeconfig, REGION, { now: () => systemClock.monotonic() }), systemClock);
  return {
    async setImage(image) {
      const body = { spec: { template: { spec: { containers: [{ name: CONTAINER, image }] } } } };
      const patch = "application/strategic-merge-patch+json";
      return ((await api.call("PATCH", deploymentPath(REGION), body, patch)) as Rolling).metadata.generation;
    },
    done: (version, signal) => seen(watching, (one) => isObserved(one, version) && hasRolled(one), signal),
    begun: (version, updated, signal) =>
      seen(watching, (one) => isObserved(one, version) && (one.status?.updatedReplicas ?? 0) >= updated, signal),
  };
}

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
