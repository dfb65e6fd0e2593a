import type { Shape, Weighing } from "../../../src/graph/observation.ts";
import type { Fence } from "../../../src/ports/fence.ts";
import { until } from "../commands.ts";
import type { Place } from "./place.ts";

/** What the engine orders while release 1.0 of a place is replaced. */
export const shapeOf = (place: Place, old: number, fresh: number, version = "2.0"): Shape => ({
  releases: [
    { ...place.release("1.0"), count: old },
    { ...place.release(version), count: fresh },
  ],
  drain: { noticeMs: 0, deadlineMs: 10_000 },
});

export const weighingOf = (place: Place, old: number, fresh: number): Weighing => [
  { digest: place.release("1.0").digest, admitted: old, weightPct: 100 },
  { digest: place.release("2.0").digest, admitted: fresh, weightPct: 100 },
];

let seq = 0;
/** Every order has a fence of its own. */
export const fence = (epoch = 1): Fence => ({ epoch, seq: (seq += 1) });

/** Pods in tokyo that serve with full weight, of release 1.0 and of 2.0: `4/0`. */
export async function countsIn({ workload }: Place["driver"]): Promise<string> {
  const { instances } = await workload.observe("tokyo", new AbortController().signal);
  const serving = instances.filter(({ ready, weightPct }) => ready && weightPct === 100);
  return ["1.0", "2.0"]
    .map((version) => serving.filter(({ release }) => release === `gateway@${version}`).length)
    .join("/");
}

/** Resolves once so many pods of release 1.0 serve, and nobody else does. */
export const untilServing = (place: Place, replicas: number): Promise<void> =>
  until(`${replicas} pods of ${place.name}`, 60_000, async () => {
    const counts = await countsIn(place.driver);
    return counts === `${replicas}/0` ? true : `${counts} serve`;
  });

/** Resolves once users are answered, too: the proxies learn of a Service a little later than its endpoints are known. */
export const untilAnswered = ({ name, service }: Place): Promise<void> =>
  until(`an answer of ${name}`, 15_000, async () => {
    const { status } = await fetch(service);
    return status === 200 ? true : `status ${status}`;
  });
