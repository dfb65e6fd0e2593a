import { isObserved } from "../api/objects.ts";
import { lacking, serves, short, unlit, type DarkWanted } from "../judge.ts";
import type { SeenPod } from "../sight.ts";
import { objectText, type Site } from "../site.ts";
import type { Judge, Missing } from "../api/until.ts";
import { podsOf } from "../variant.ts";
import { otherOf, type Side } from "../placement.ts";
import { placesOf, type SetHeld } from "./set-held.ts";
import type { SetSight } from "./set-site.ts";

/** Misses what was ordered and does not serve yet, pods in the dark that are not ready, and an order that its controller did not read. */
export const settledAs =
  (site: Site, held: SetHeld, dark: readonly DarkWanted[]): Judge<SetSight> =>
  (sight) => {
    const ordered = placesOf(held, sight.places);
    return (
      unreadOrder(site, sight) ??
      servingAtLeast(site, { held, side: "before", count: ordered.before }, sight) ??
      servingAtLeast(site, { held, side: "after", count: ordered.after }, sight) ??
      unlit({ dark }, sight)
    );
  };

/** On the way from one release to the other: so many serve of the one, and no more than so many are left of the other. */
export const handedTo =
  (
    site: Site,
    { held, side, left }: { readonly held: SetHeld; readonly side: Side; readonly left: number },
  ): Judge<SetSight> =>
  (sight) =>
    unreadOrder(site, sight) ??
    servingAtLeast(site, { held, side, count: sight.places - left }, sight) ??
    leftAtMost(site, { held, side: otherOf(side), count: left }, sight);

/** Those of a release were told to leave, and are gone for users. */
export const withdrawn =
  (site: Site, held: SetHeld, side: Side): Judge<SetSight> =>
  (sight) =>
    unreadOrder(site, sight) ?? leftAtMost(site, { held, side, count: 0 }, sight);

/** Until the controller has read an order, it goes on with the one before. */
export const unreadOrder = (site: Site, { set }: SetSight): Missing | undefined =>
  isObserved(set) ? undefined : { text: `the controller of ${objectText(site)} did not read its order`, pods: [] };

/**
 * A StatefulSet of which all pods are alike says so a moment later; until then a pod that dies would come back from the template before.
 * One that replaces on request alone never says it, and makes every pod from its present template.
 */
export function unfinished(site: Site, { set: { status }, kind }: SetSight): Missing | undefined {
  return kind === "DaemonSet" || status?.currentRevision === status?.updateRevision
    ? undefined
    : { text: `the controller of ${objectText(site)} did not see that its rollout is over`, pods: [] };
}

type Share = { readonly held: SetHeld; readonly side: Side; readonly count: number };

const servingAtLeast = (site: Site, { held, side, count }: Share, sight: SetSight): Missing | undefined =>
  lacking(podsOf(held, side, sight, site.frame.container), count, held[side]?.digest ?? "?");

function leftAtMost(site: Site, { held, side, count }: Share, sight: SetSight): Missing | undefined {
  const pods = podsOf(held, side, sight, site.frame.container);
  if (pods.length <= count) return undefined;
  return {
    text: `${pods.length} pods of ${short(held[side]?.digest ?? "?")} are there where ${count} shall be left`,
    pods: [],
  };
}

/**
 * Who leaves next where a whole release goes. Whoever does not serve goes at once; of the others as many as leave half of the places served.
 * The last one of a small set goes too: there is no other way to replace it.
 */
export function leavers(leaving: readonly SeenPod[], all: readonly SeenPod[], places: number): readonly SeenPod[] {
  const sick = leaving.filter((pod) => !serves(pod));
  const spare = all.filter((pod) => serves(pod)).length - Math.ceil(places / 2);
  const isStuck = spare <= 0 && sick.length === 0 && all.length >= places;
  return [...sick, ...leaving.filter((pod) => serves(pod)).slice(0, isStuck ? 1 : Math.max(0, spare))];
}
