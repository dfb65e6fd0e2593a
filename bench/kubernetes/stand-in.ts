import { apiOf } from "../../src/adapters/kubernetes/api/api.ts";
import { connect } from "../../src/adapters/kubernetes/api/connection.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Cluster } from "./cluster.ts";
import { CONTAINER } from "./pods.ts";

/** Of the node that is not there. Templates name it, so that no scheduler is needed. */
export const NODE = "stand-in";

/**
 * Stands in for a node: it says of each pod that it runs and is ready, and lets go whoever is told to leave. API server, controllers and everything
 * that a conductor sees of them are real; no container runs.
 */
export type StandIn = AsyncDisposable & {
  /** Pods that were said to be ready so far. */
  count(): number;
  /** The first thing that went wrong, if anything did. */
  complaint(): string | undefined;
};

type SeenPod = {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: { readonly phase?: string };
};

/** All pods of a fleet at once would keep the API server from answering any of them in time. */
const AT_ONCE = 40;
/** The controllers take a node for dead after 50 s without a word. */
const HEARTBEAT_MS = 10_000;
const PATCH = "application/merge-patch+json";

export async function standIn({ api, places, facts }: Cluster): Promise<StandIn> {
  const stop = new AbortController();
  const done = new Set<string>();
  const gone = new Set<string>();
  let [ready, complaint] = [0, undefined as string | undefined];
  const complain = (error: unknown): void => {
    if (!stop.signal.aborted) complaint ??= error instanceof Error ? error.message : String(error);
  };
  await api.call("POST", "/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name: NODE } });
  const beat = () => api.call("PATCH", `/api/v1/nodes/${NODE}/status`, nodeStatus(), PATCH).then(() => {}, complain);
  await beat();
  const beating = setInterval(() => void beat(), HEARTBEAT_MS);

  const inTurn = turns(AT_ONCE);
  const attend = async (namespace: string, { metadata, spec, status }: SeenPod): Promise<void> => {
    const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}`;
    const key = `${namespace}/${metadata.name}`;
    if (metadata.deletionTimestamp !== undefined) {
      if (gone.has(key)) return;
      gone.add(key);
      done.delete(key);
      await api.call("DELETE", path, { gracePeriodSeconds: 0 }).catch(unlessMissing);
      return;
    }
    if (status?.phase === "Running" || done.has(key)) return;
    done.add(key);
    ready += 1;
    await api
      .call("PATCH", `${path}/status`, podStatus(ready, spec.containers[0]?.image ?? ""), PATCH)
      .catch(unlessMissing);
  };
  const watchers = facts.regions.map(async (namespace) => {
    const watching = apiOf(connect(places.kubeconfig, namespace, { now: () => systemClock.monotonic() }), systemClock);
    while (!stop.signal.aborted)
      for await (const { type, object } of watching.watch<SeenPod>({ resource: "pods" }, stop.signal)) {
        const key = `${namespace}/${object.metadata.name}`;
        if (type === "DELETED") [done, gone].forEach((names) => names.delete(key));
        else if (type !== "BOOKMARK") inTurn(() => attend(namespace, object)).catch(complain);
      }
  });
  for (const watcher of watchers) watcher.catch(complain);
  return {
    count: () => ready,
    complaint: () => complaint,
    async [Symbol.asyncDispose]() {
      clearInterval(beating);
      stop.abort();
      await Promise.allSettled(watchers);
    },
  };
}

/** Does so many at a time, in the order in which they came. */
function turns(most: number): (work: () => Promise<void>) => Promise<void> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running === most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

const now = (): string => new Date().toISOString();

const nodeStatus = () => ({
  status: {
    capacity: { cpu: "1000", memory: "1Ti", pods: "10000" },
    allocatable: { cpu: "1000", memory: "1Ti", pods: "10000" },
    conditions: [
      { type: "Ready", status: "True", reason: "StandIn", lastHeartbeatTime: now(), lastTransitionTime: STARTED_AT },
    ],
  },
});
const STARTED_AT = now();

/** Every pod has an address of its own, which nobody answers at. */
const addressOf = (number: number): string => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

const podStatus = (number: number, image: string) => ({
  status: {
    phase: "Running",
    podIP: addressOf(number),
    podIPs: [{ ip: addressOf(number) }],
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: now(),
    })),
    containerStatuses: [
      {
        name: CONTAINER,
        ready: true,
        started: true,
        restartCount: 0,
        image,
        imageID: image,
        state: { running: { startedAt: now() } },
      },
    ],
  },
});

const unlessMissing = (error: unknown): void => {
  if (!(error instanceof Error && /: (404|409) /.test(error.message))) throw error;
};
