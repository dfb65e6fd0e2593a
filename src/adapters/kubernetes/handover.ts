import { countsOf, heldIn } from "./hold.ts";
import type { SeenPod, Sight } from "./sight.ts";
import { sideOf } from "./variant.ts";

/**
 * While pods in the dark are admitted, the Deployment brings as many of its own before they go, and for seconds both are there. They are the same
 * places: until the newcomer serves, the one in the dark stands for it, and then the other way round. Whoever looks counts each place once.
 */
export function handedOver(sight: Sight): Sight {
  const held = heldIn(sight.deployment);
  if (held === undefined) return sight;
  return countedOnce(sight, held.admitted ?? [], (digest) => {
    const side = sideOf(held, digest);
    return side === undefined ? 0 : countsOf(held)[side];
  });
}

/** `names`: of those in the dark whose places are being filled. `orderedOf`: how many of a digest shall be there beside them. */
export function countedOnce<S extends Pick<Sight, "pods" | "dark">>(
  sight: S,
  names: readonly string[],
  orderedOf: (digest: string) => number,
): S {
  if (names.length === 0) return sight;
  const hidden = new Set<SeenPod>();
  const leaving = sight.dark.filter(({ pod }) => names.includes(pod.metadata.name));
  for (const digest of new Set(leaving.map((seen) => seen.digest))) {
    const there = sight.pods.filter((seen) => seen.digest === digest);
    const idle = there.filter(({ isReady, weightPct }) => !isReady || weightPct === 0).toSorted(youngestFirst);
    const absent = Math.max(0, orderedOf(digest) - there.length);
    const going = leaving.filter((seen) => seen.digest === digest);
    const stands = Math.min(going.length, absent + idle.length);
    for (const seen of going.slice(stands)) hidden.add(seen);
    for (const seen of idle.slice(0, Math.max(0, stands - absent))) hidden.add(seen);
  }
  const isShown = (seen: SeenPod): boolean => !hidden.has(seen);
  return { ...sight, pods: sight.pods.filter(isShown), dark: sight.dark.filter(isShown) };
}

const youngestFirst = (a: SeenPod, b: SeenPod): number =>
  (b.pod.metadata.creationTimestamp ?? "").localeCompare(a.pod.metadata.creationTimestamp ?? "");
