import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Weighing } from "../../../graph/observation.ts";
import type { Traffic } from "../../../ports/traffic.ts";
import { inOurWords, objectText, type Site, type Sites } from "../site.ts";
import { refuseShares } from "../traffic.ts";
import { podsOf, sideOf } from "../variant.ts";
import { amendSet } from "./amend-set.ts";
import { advance, besideSet, setGroundOf, takeAll, withdrawAll, type SetErrand } from "./replace.ts";
import { placesOf } from "./set-held.ts";

/**
 * Who is in the Service: every pod of the set that is ready, and nobody else. So to be admitted is to take a place, and to be withdrawn is to leave
 * it: the template of before is put back and the new pods are told to leave, all at once. The next look shows them gone, and the old ones on
 * their way back to their places.
 */
export const trafficInPlace = (sites: Sites): Traffic => ({
  weigh: (region, weighing, fence, signal) =>
    inOurWords("BALANCER_UNREACHABLE", async () => {
      signal.throwIfAborted();
      refuseShares(weighing);
      const site = sites(region);
      await amendSet(site, fence, () => undefined, signal);
      await distribute(weighing, { site, fence, signal });
    }),
});

/**
 * The second release is the one that comes and goes; the first one has the other places. Where one alone is named, nothing changes hands. An
 * order that its conductor did not live to carry out is carried out now.
 */
async function distribute(weighing: Weighing, errand: SetErrand): Promise<void> {
  const [first, second] = weighing;
  if (first === undefined || second === undefined) return;
  const ground = await setGroundOf(errand);
  const { sight } = ground;
  const wanted = Math.min(sight.places, second.weightPct === 0 ? 0 : second.admitted);
  const held = wanted === 0 ? ground.held : await besideSet(ground, second.digest, errand);
  const side = sideOf(held, second.digest);
  if (side === undefined) return;
  const present = placesOf(held, sight.places)[side];
  if (wanted === 0) {
    const isGone = present === 0 && podsOf(held, side, sight, errand.site.frame.container).length === 0;
    return isGone ? undefined : withdrawAll(await besideSet({ sight, held }, first.digest, errand), side, errand);
  }
  if (wanted < present) throw cannotShrink(errand.site, present, wanted);
  if (side === "after") await advance(held, wanted, errand);
  else if (wanted > present) await takeAll(held, side, errand);
}

const cannotShrink = (site: Site, present: number, wanted: number): UpgradeError =>
  new UpgradeError(
    "DRIVER_CANNOT",
    `${objectText(site)} takes a release back from all of its ${present} places, and not down to ${wanted}`,
    { hint: "let the upgrade that is under way end, or take all of it back" },
  );
