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
};

type Seen = { readonly at: number; readonly ready: number; readonly others: number };

const LIMIT_MS = 60_000;

export function standingOf({ places }: Cluster, image: string): Standing {
  const end = new AbortController();
  const seen: Seen[] = [];
  let broken: string | undefined;
  const api = apiOf(connect(places.kubeconfig, REGION, { now: () => systemClock.monotonic() }), systemClock);
  const following = follow<Pod>(
    { api, clock: systemClock },
    { resource: "pods", query: { labelSelector: `app=${PODS}` } },
    { items: (pods) => void seen.push({ at: Date.now(), ...counted(pods, image) }), silence: () => undefined },
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
    async [Symbol.asyncDispose]() {
      end.abort();
      await following;
    },
  };
}

function counted(pods: readonly Pod[], image: string): Pick<Seen, "ready" | "others"> {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const own = staying.filter(({ spec }) => spec.containers.some((container) => container.image === image));
  return { ready: own.filter((pod) => isReady(pod)).length, others: staying.length - own.length };
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True") === true;
