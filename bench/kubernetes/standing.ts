import { apiOf } from "../../src/adapters/kubernetes/api/api.ts";
import { connect } from "../../src/adapters/kubernetes/api/connection.ts";
import { follow } from "../../src/adapters/kubernetes/api/follow.ts";
import type { Pod } from "../../src/adapters/kubernetes/api/objects.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { Hopeless, until } from "../../test/cluster/commands.ts";
import type { Cluster } from "./cluster.ts";
import { PODS, REGION } from "./pods.ts";

/** Who stands in the Service's Deployment, from now on: pods of one image that are ready, and pods of any other one that were not told to leave. */
export type Standing = AsyncDisposable & {
  /** Resolves with the first moment from `since` on (ms since the epoch) at which so many of the image were ready, and nobody else was there. */
  alone(count: number, since: number): Promise<number>;
  /** Pods that were first seen from `since` on, each with when it was seen, told to leave and ready: ms after `since`. */
  comers(since: number): readonly Comer[];
};

export type Comer = {
  readonly isWanted: boolean;
  readonly seenMs: number;
  readonly readyMs?: number;
  readonly leftMs?: number;
};

type Seen = { readonly at: number; readonly ready: number; readonly others: number };

const LIMIT_MS = 60_000;

export function standingOf({ places }: Cluster, image: string): Standing {
  const end = new AbortController();
  const seen: Seen[] = [];
  const pods = new Map<string, Marks>();
  let broken: string | undefined;
  const api = apiOf(connect(places.kubeconfig, REGION, { now: () => systemClock.monotonic() }), systemClock);
  const following = follow<Pod>(
    { api, clock: systemClock },
    { resource: "pods", query: { labelSelector: `app=${PODS}` } },
    {
      items: (found) => {
        const at = Date.now();
        seen.push({ at, ...counted(found, image) });
        for (const pod of found) mark(pods, pod, { at, image });
      },
      silence: () => undefined,
    },
    end.signal,
  ).catch((error: unknown) => {
    if (!end.signal.aborted) broken = String(error);
  });
  return {
    async alone(count, since) {
      const find = (): Seen | undefined =>
        seen.find(({ at, ready, others }) => at >= since && ready === count && others === 0);
      await until(`${count} old pods alone`, LIMIT_MS, async () => {
        if (broken !== undefined) throw new Hopeless(broken);
        const last = seen.at(-1);
        return find() === undefined ? `${last?.ready ?? 0} are ready, and ${last?.others ?? 0} others are there` : true;
      });
      return find()?.at ?? since;
    },
    comers: (since) =>
      [...pods.values()]
        .filter(({ seenAt }) => seenAt >= since)
        .map(({ isWanted, seenAt, readyAt, leftAt }) => ({
          isWanted,
          seenMs: seenAt - since,
          ...(readyAt === undefined ? {} : { readyMs: readyAt - since }),
          ...(leftAt === undefined ? {} : { leftMs: leftAt - since }),
        })),
    async [Symbol.asyncDispose]() {
      end.abort();
      await following;
    },
  };
}

type Marks = { readonly isWanted: boolean; readonly seenAt: number; readyAt?: number; leftAt?: number };

function mark(
  marks: Map<string, Marks>,
  pod: Pod,
  { at, image }: { readonly at: number; readonly image: string },
): void {
  const { name, deletionTimestamp } = pod.metadata;
  const one = marks.get(name) ?? { isWanted: isOf(pod, image), seenAt: at };
  if (isReady(pod)) one.readyAt ??= at;
  if (deletionTimestamp !== undefined) one.leftAt ??= at;
  marks.set(name, one);
}

function counted(pods: readonly Pod[], image: string): Pick<Seen, "ready" | "others"> {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const own = staying.filter((pod) => isOf(pod, image));
  return { ready: own.filter((pod) => isReady(pod)).length, others: staying.length - own.length };
}

const isOf = ({ spec }: Pod, image: string): boolean => spec.containers.some((container) => container.image === image);

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;
