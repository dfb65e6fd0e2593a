import type { WatchedInstance } from "../../../ports/watcher.ts";
import type { Labels } from "./prometheus-answer.ts";
import { placing, type Placed, type Said } from "./placing.ts";

export type WhereaboutsOptions = {
  readonly regions: readonly string[];
  readonly targetOf: (labels: Labels) => string;
  readonly saidOf: (labels: Labels) => Said;
};

/**
 * Where series come from. An instance that has left is remembered while its samples last: what it counted at its end, it counted there. And one
 * that was seen is missed when it serves users and no sample of it comes any more.
 */
export const startWhereabouts = ({ regions, targetOf, saidOf }: WhereaboutsOptions) => {
  let watched: readonly WatchedInstance[] = [];
  let place = placing(watched, regions);
  /** Target → the instance that it is, or was. */
  let known = new Map<string, Placed>();
  let seen: ReadonlySet<string> = new Set();

  const placeOf = (labels: Labels): Placed => {
    const placed = place(saidOf(labels));
    return instanceIn(placed) === undefined ? (known.get(targetOf(labels)) ?? placed) : placed;
  };

  return {
    placeOf,
    instances(instances: readonly WatchedInstance[]): void {
      watched = instances;
      place = placing(instances, regions);
    },
    instance: (id: string): WatchedInstance | undefined => watched.find((instance) => instance.id === id),
    /** Takes note of what has told something, and tells who serves users, was seen before, and has not. */
    note(labelsOfAll: readonly Labels[]): readonly WatchedInstance[] {
      const next = new Map<string, Placed>();
      const here = new Set<string>();
      for (const labels of labelsOfAll) {
        const placed = placeOf(labels);
        const id = instanceIn(placed);
        if (id === undefined) continue;
        next.set(targetOf(labels), placed);
        here.add(id);
      }
      const missed = watched.filter(
        ({ id, region, inTraffic }) => inTraffic && regions.includes(region) && seen.has(id) && !here.has(id),
      );
      known = next;
      seen = new Set([...here, ...missed.map(({ id }) => id)]);
      return missed;
    },
  };
};

const instanceIn = (placed: Placed): string | undefined => (placed.kind === "here" ? placed.instance : undefined);
