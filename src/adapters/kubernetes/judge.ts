import { isObserved } from "./api/objects.ts";
import { countsOf, type Held } from "./hold.ts";
import type { Counts, Side } from "./placement.ts";
import { ordinalOf, type SeenPod, type Sight } from "./sight.ts";
import type { Judge, Missing } from "./api/until.ts";
import { podsOf } from "./variant.ts";

export type DarkWanted = { readonly digest: string; readonly ordinal: number; readonly name: string };

export type Wanted = {
  readonly held: Held;
  /** What shall be left in the end. Whoever leaves later need not be ready now. */
  readonly target: Counts;
  readonly dark: readonly DarkWanted[];
  readonly container: string;
};

/** Misses what was ordered and is not there yet, not ready, not in the Service, or still there although it was told to leave. */
export const judgeOf =
  (wanted: Wanted): Judge =>
  (sight) =>
    unobserved(sight) ??
    unsettled(wanted, "before", sight) ??
    unsettled(wanted, "after", sight) ??
    unlit(wanted, sight);

/** Until the controller has read an order, what it says is about the one before. */
export const unobserved = ({ deployment }: Sight): Missing | undefined =>
  isObserved(deployment)
    ? undefined
    : { text: `the controller of deployment ${deployment.metadata.name} did not read its order`, pods: [] };

function unsettled({ held, target, container }: Wanted, side: Side, sight: Sight): Missing | undefined {
  const ordered = countsOf(held)[side];
  const pods = podsOf(held, side, sight, container);
  const least = isLoose(held, side) ? 0 : Math.min(ordered, target[side]);
  const lack = lacking(pods, least, held[side]?.digest ?? "?");
  if (lack !== undefined) return lack;
  return pods.length <= ordered
    ? undefined
    : {
        text: `${pods.length} pods of ${short(held[side]?.digest ?? "?")} are there where ${ordered} shall be left`,
        pods: [],
      };
}

/** Too few of a release are ready and in the Service. */
export function lacking(pods: readonly SeenPod[], least: number, digest: string): Missing | undefined {
  const serving = pods.filter((pod) => serves(pod));
  if (serving.length >= least) return undefined;
  const idle = pods.filter((pod) => !serves(pod));
  return {
    text: `${serving.length} of ${least} pods of ${short(digest)} serve${listed(idle)}`,
    pods: idle.map(({ pod }) => pod),
  };
}

/**
 * On the way back the controller may let new pods go sooner than it was told: for a moment it still takes the old ones for available, and
 * it never goes below `replicas`.
 */
const isLoose = ({ ordered }: Held, side: Side): boolean => side === "after" && ordered?.template === "before";

export function unlit({ dark }: Pick<Wanted, "dark">, sight: Pick<Sight, "dark">): Missing | undefined {
  const waiting = dark.filter((one) => sight.dark.every((seen) => !isIt(seen, one) || !seen.isReady));
  if (waiting.length === 0) return undefined;
  return {
    text: `${waiting.map(({ name }) => name).join(", ")} did not get ready in the dark`,
    pods: sight.dark.filter((seen) => waiting.some((one) => isIt(seen, one))).map(({ pod }) => pod),
  };
}

export const isIt = (seen: SeenPod, { digest, ordinal }: Pick<DarkWanted, "digest" | "ordinal">): boolean =>
  seen.digest === digest && ordinalOf(seen) === ordinal;

/** Ready, and in the Service: both are needed before anybody else may leave. */
export const serves = ({ isReady, weightPct }: SeenPod): boolean => isReady && weightPct === 100;

const listed = (pods: readonly SeenPod[]): string =>
  pods.length === 0
    ? ""
    : `; not yet: ${pods.map(({ pod, isReady }) => `${pod.metadata.name}${isReady ? " (ready, and no endpoint of the Service)" : ""}`).join(", ")}`;

/** `sha256:0123456789ab`, as people tell digests apart. */
export const short = (digest: string): string => digest.slice(0, 19);
