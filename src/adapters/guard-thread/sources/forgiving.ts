import type { Operation } from "../../../plan/model.ts";
import type { WatchedInstance } from "../../../ports/watcher.ts";
import type { PlacedDelta } from "./sum-counts.ts";

/** A failure that a probe met when an instance took its leave: the counters hold it, and no user felt it. */
type Pardon = {
  readonly instance: WatchedInstance;
  readonly operation: Operation;
  readonly code: string;
  readonly until: number;
};

/** A counter that is read this much later is told of another failure. */
const KEPT_MS = 120_000;

/** A difference, with the instance that counted it where that is known. */
export type Attributed = PlacedDelta & { readonly instance?: string };

/** Takes forgiven failures out of what was counted, each once. `now` in ms. */
export const startForgiving = (now: () => number) => {
  let pardons: readonly Pardon[] = [];
  return {
    forgive(instance: WatchedInstance, operation: Operation, code: string): void {
      pardons = [...pardons, { instance, operation, code, until: now() + KEPT_MS }];
    },
    settle(counted: readonly Attributed[]): readonly Attributed[] {
      let left = counted;
      pardons = pardons.filter((pardon) => {
        const index = left.findIndex((delta) => delta.count > 0 && isMeant(pardon, delta));
        left = left.map((delta, place) => (place === index ? { ...delta, count: delta.count - 1 } : delta));
        return index < 0 && pardon.until > now();
      });
      return left;
    },
  };
};

const isMeant = ({ instance, operation, code }: Pardon, delta: Attributed): boolean =>
  delta.operation === operation &&
  delta.code === code &&
  (delta.instance === undefined
    ? delta.place.region === instance.region && delta.place.release === instance.release
    : delta.instance === instance.id);
