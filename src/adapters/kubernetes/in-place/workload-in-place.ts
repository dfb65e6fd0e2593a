import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Shape } from "../../../graph/observation.ts";
import type { Workload } from "../../../ports/workload.ts";
import { removePods, startDark } from "../dark-pods.ts";
import { isIt, type DarkWanted } from "../judge.ts";
import { refuseStrangers } from "../strangers.ts";
import { stateOf } from "../sight.ts";
import { inOurWords, objectText, type Site, type Sites } from "../site.ts";
import { sideOf } from "../variant.ts";
import { amendSet } from "./amend-set.ts";
import {
  advance,
  besideSet,
  freeSet,
  orderSet,
  setGroundOf,
  settleAs,
  takeAll,
  type SetErrand,
  type SetGround,
} from "./replace.ts";
import { placesOf, type SetHeld } from "./set-held.ts";
import { setSightNow, placesOnce } from "./set-site.ts";
import { missingIn, standInOf, standInsFor } from "./stand-in.ts";

/**
 * Instances as pods that are replaced in their places: a StatefulSet has a place for each number, a DaemonSet one on each node. There are always
 * as many as before, so that nothing can stand beside the old ones in traffic, and capacity falls by one pod while its place changes hands.
 *
 * Four things are as Kubernetes has them. What is proved in the dark is a pod of its own from the new template, without the name, the volumes or
 * the node of a place: a stand-in, which goes once somebody serves where it stood in. A batch is done pod by pod, because a StatefulSet's controller
 * replaces one at a time and a disruption budget mostly allows one. A pod drains as its own preStop and termination grace say. And a DaemonSet's
 * controller makes every pod from the template that it has now: one that dies or whose node is new while a run is half-way comes up with
 * the new release, is seen as a foreign change, and halts the run. A StatefulSet brings it back with the release that its number had.
 */
export const workloadInPlace = (sites: Sites): Workload => ({
  observe: (region, signal) =>
    inOurWords("WORKLOAD_UNREACHABLE", async () => {
      signal.throwIfAborted();
      const site = sites(region);
      return stateOf(placesOnce(await setSightNow(site, signal)), site.frame);
    }),
  shape: (region, shape, fence, signal) =>
    inOurWords("WORKLOAD_UNREACHABLE", async () => {
      signal.throwIfAborted();
      const site = sites(region);
      await amendSet(site, fence, () => undefined, signal);
      await converge(shape, { site, fence, signal });
      return stateOf(placesOnce(await setSightNow(site, signal)), site.frame);
    }),
});

async function converge(shape: Shape, errand: SetErrand): Promise<void> {
  const { site, signal } = errand;
  const ground = await setGroundOf(errand);
  refuseStrangers(site, shape, ground.sight);
  const share = shareOf(site, shape, ground.sight.places);
  const known = await knowing(share, ground, errand);
  const standing = await stand(share, { ...ground, held: known }, errand);
  const dark = darkFor(share, { ...ground, held: known }, errand);
  const prepared = await startStandIns(dark, { ...ground, held: standing }, errand);
  const { dark: there } = await settleAs(prepared, dark, errand);
  const surplus = there.filter((seen) => !dark.some((one) => isIt(seen, one)));
  await removePods(site, surplus, signal);
  if (isWhole(share)) await freeSet(prepared, errand);
}

/** What an order comes to: how many places the first release has, and how many of the second shall be there, in places or in the dark. */
type Share = {
  readonly first: string;
  readonly places: number;
  readonly second?: { readonly digest: string; readonly count: number; readonly places: number };
};

function shareOf(site: Site, { releases }: Shape, all: number): Share {
  const [first, second] = releases;
  const places = Math.min(all, first?.count ?? 0);
  if (first === undefined || all - places > (second?.count ?? 0))
    throw new UpgradeError(
      "DRIVER_CANNOT",
      `${objectText(site)} keeps a pod in each of its ${all} places, and was told to have ${releases.map(({ release, count }) => `${count} of ${release}`).join(" and ") || "none"}`,
      { hint: "scale it by its own means, before or after an upgrade" },
    );
  if (second === undefined) return { first: first.digest, places };
  return {
    first: first.digest,
    places,
    second: { digest: second.digest, count: second.count, places: all - places },
  };
}

/** The record, with every release in it that the order needs. */
async function knowing({ first, places, second }: Share, ground: SetGround, errand: SetErrand): Promise<SetHeld> {
  const held = places > 0 ? await besideSet(ground, first, errand) : ground.held;
  return second === undefined || second.count === 0 ? held : besideSet({ ...ground, held }, second.digest, errand);
}

/** Gives each release its places. An order that its conductor did not live to carry out is carried out now. */
async function stand(share: Share, ground: SetGround, errand: SetErrand): Promise<SetHeld> {
  const { held, sight } = ground;
  const { first, places, second } = share;
  const side = sideOf(held, first);
  const present = side === undefined ? 0 : placesOf(held, sight.places)[side];
  if (side !== undefined && places >= present && isWayBack(share, ground))
    return takeAllOf(held, side, places === sight.places, errand);
  if (second === undefined || second.places === 0) return held;
  if (sideOf(held, second.digest) === "after") return advance(held, second.places, errand);
  return second.places === placesOf(held, sight.places).before
    ? held
    : takeAllOf(held, "before", second.places === sight.places, errand);
}

/** There is no way to a part of the places of a release that was there before: a StatefulSet replaces from one end only. */
function takeAllOf(held: SetHeld, side: "before" | "after", isAll: boolean, errand: SetErrand): Promise<SetHeld> {
  if (isAll) return takeAll(held, side, errand);
  throw new UpgradeError(
    "DRIVER_CANNOT",
    `${objectText(errand.site)} gives a release that was there before all of its places back, and not some`,
    { hint: "let the upgrade that is under way end, or take all of it back" },
  );
}

/** Whoever stands in for places of the second release that are still taken; none on a way back, where nobody has to prove anything. */
const darkFor = (share: Share, ground: SetGround, { site }: SetErrand): readonly DarkWanted[] => {
  const { second } = share;
  return second === undefined || isWayBack(share, ground)
    ? []
    : standInsFor(site, second.digest, second.places, second.count);
};

/** Also when it was gone already, and the order is repeated: the record says whose places they all became. */
function isWayBack({ first, places }: Share, { sight, held }: SetGround): boolean {
  const side = sideOf(held, first);
  if (side === undefined) return false;
  return places > placesOf(held, sight.places)[side] || held.ordered?.template === side;
}

/** Nothing is missing of what was ordered, and nothing was left undone because of a way back: then nobody needs the record any more. */
const isWhole = ({ second }: Share): boolean => second === undefined || second.count === second.places;

async function startStandIns(
  dark: readonly DarkWanted[],
  { sight, held }: SetGround,
  errand: SetErrand,
): Promise<SetHeld> {
  const missing = missingIn(sight, dark);
  if (missing.length === 0) return held;
  const { site, signal } = errand;
  const written = await orderSet(held, errand);
  await Promise.all(
    missing.map(async (wanted) => {
      const side = sideOf(written, wanted.digest);
      const variant = side === undefined ? undefined : written[side];
      if (variant === undefined) return;
      await startDark({ site, owner: sight.set.metadata, signal }, standInOf(variant, sight.set), wanted);
    }),
  );
  return written;
}
