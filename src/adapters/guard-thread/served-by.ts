import type { WatchedInstance } from "../../ports/watcher.ts";
import type { ProbeOutcome } from "./probe-chain.ts";
import type { Served } from "./probe-counts.ts";

/** Instances that pinned probes may go to: old ones that users reach, new ones that users reach or have reached. */
export const targetsOf = (
  instances: readonly WatchedInstance[],
  exposed: ReadonlySet<string>,
  region: string,
): readonly WatchedInstance[] => {
  const here = instances.filter((instance) => instance.region === region);
  const able = here.filter(({ id, side, inTraffic }) => inTraffic || (side === "new" && exposed.has(id)));
  return able.some(({ side }) => side === "new") && able.some(({ side }) => side === "old") ? able : [];
};

/** Who answered an operation, as far as it is known. `target`: whom it was pinned to. */
export const servedBy = (
  instances: readonly WatchedInstance[],
  region: string,
  target: WatchedInstance | undefined,
  outcome: ProbeOutcome,
): Served => {
  const named = target ?? instances.find(({ id }) => id === outcome.instance);
  if (named !== undefined) return { side: named.side, release: named.release, isExposed: named.inTraffic };
  const able = instances.filter(
    (instance) =>
      instance.region === region &&
      instance.inTraffic &&
      (outcome.release === undefined || instance.release === outcome.release),
  );
  const [first] = able;
  // Nobody answered: it is known whose failure it is only where all are alike.
  const isAlike =
    first !== undefined && able.every(({ side, release }) => side === first.side && release === first.release);
  return isAlike
    ? { side: first.side, release: first.release, isExposed: true }
    : { side: "unknown", release: outcome.release ?? "unknown", isExposed: true };
};
