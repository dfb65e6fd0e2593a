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
        const rest = withoutOne(left, (delta) => isMeant(pardon, delta));
        left = rest ?? left;
        return rest === undefined && pardon.until > now();
      });
      return left;
    },
  };
};

/** The same with one operation less in the first that matches; undefined where none does. */
export const withoutOne = <Counted extends { readonly count: number }>(
  counted: readonly Counted[],
  matches: (one: Counted) => boolean,
): readonly Counted[] | undefined => {
  const index = counted.findIndex((one) => one.count > 0 && matches(one));
  return index < 0
    ? undefined
    : counted.map((one, place) => (place === index ? { ...one, count: one.count - 1 } : one));
};

const isMeant = ({ instance, operation, code }: Pardon, delta: Attributed): boolean =>
  delta.operation === operation &&
  delta.code === code &&
  (delta.instance === undefined
    ? delta.place.region === instance.region && delta.place.release === instance.release
    : delta.instance === instance.id);
