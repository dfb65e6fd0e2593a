import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { WorkloadState } from "../../../graph/observation.ts";
import type { Judge, Missing } from "../api/until.ts";
import { countsOf, type Held } from "../hold.ts";
import { serves, short, unobserved } from "../judge.ts";
import type { Counts, Side } from "../placement.ts";
import { stateOf, type Frame, type SeenPod, type Sight } from "../sight.ts";
import { TEMPLATE_HASH } from "../template.ts";
import { podsOf } from "../variant.ts";

const SIDES: readonly Side[] = ["before", "after"];

export const hashIn = ({ pod }: SeenPod): string | undefined => pod.metadata.labels?.[TEMPLATE_HASH];

/** Of the template of a side, as its pods carry it. Undefined where it has none. Throws `FOREIGN_CHANGE` where they are of two templates. */
export function hashOf(held: Held, side: Side, sight: Sight, container: string): string | undefined {
  const hashes = new Set(podsOf(held, side, sight, container).map((seen) => hashIn(seen)));
  if (hashes.size > 1)
    throw new UpgradeError(
      "FOREIGN_CHANGE",
      `pods of ${short(held[side]?.digest ?? "?")} come from ${hashes.size} templates (${[...hashes].join(", ")}), so that no selector names them all and nobody else`,
      { hint: "let the other rollout end, then `midflight resume`" },
    );
  return [...hashes][0];
}

/** Which side a Service names; undefined where it names neither. */
export const sideNamed = (held: Held, hash: string | undefined, sight: Sight, container: string): Side | undefined =>
  hash === undefined ? undefined : SIDES.find((side) => hashOf(held, side, sight, container) === hash);

/** A pod that users cannot reach needs no endpoint to be ready; one that they shall reach does. */
export function switchedStateOf({ pods, dark }: Sight, chosen: string | undefined, frame: Frame): WorkloadState {
  const state = stateOf({ pods, dark }, frame);
  if (chosen === undefined) return state;
  const hidden = new Map(pods.filter((seen) => hashIn(seen) !== chosen).map((seen) => [seen.pod.metadata.name, seen]));
  return {
    ...state,
    instances: state.instances.map((one) => ({ ...one, ready: hidden.get(one.id)?.isReady ?? one.ready })),
  };
}

export type SwitchedWanted = {
  readonly held: Held;
  /** What shall be left in the end. Whoever leaves later need not be ready now. */
  readonly target: Counts;
  /** Whom the Service names. Absent: it tells nobody apart. */
  readonly chosen?: Side;
  readonly container: string;
};

/** Misses what was ordered and is not ready, not in the Service although it is named there, in it although it is not, or still there although it shall leave. */
export const switchedJudge =
  (wanted: SwitchedWanted): Judge =>
  (sight) =>
    unobserved(sight) ?? unsettled(wanted, "before", sight) ?? unsettled(wanted, "after", sight);

function unsettled(wanted: SwitchedWanted, side: Side, sight: Sight): Missing | undefined {
  const { held, target, chosen, container } = wanted;
  const ordered = countsOf(held)[side];
  const pods = podsOf(held, side, sight, container);
  const isHidden = chosen !== undefined && chosen !== side;
  const name = short(held[side]?.digest ?? "?");
  // On the way back the controller may let new pods go sooner than it was told.
  const least = held.ordered?.template === "before" && side === "after" ? 0 : Math.min(ordered, target[side]);
  const there = pods.filter((seen) => (isHidden ? seen.isReady : serves(seen)));
  if (there.length < least) {
    const idle = pods.filter((seen) => !there.includes(seen));
    const names = idle.map(({ pod }) => pod.metadata.name).join(", ");
    const what = isHidden ? "are ready" : "serve";
    return {
      text: `${there.length} of ${least} pods of ${name} ${what}${names === "" ? "" : `; not yet: ${names}`}`,
      pods: idle.map(({ pod }) => pod),
    };
  }
  if (pods.length > ordered)
    return { text: `${pods.length} pods of ${name} are there where ${ordered} shall be left`, pods: [] };
  const seen = isHidden ? pods.filter(({ weightPct, isReady }) => isReady && weightPct > 0) : [];
  return seen.length === 0
    ? undefined
    : { text: `${seen.length} pods of ${name} are still in the Service, which names the other release`, pods: [] };
}
