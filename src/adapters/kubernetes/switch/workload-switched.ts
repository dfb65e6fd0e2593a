import type { Shape } from "../../../graph/observation.ts";
import type { Workload } from "../../../ports/workload.ts";
import { until } from "../api/until.ts";
import { removePods } from "../dark-pods.ts";
import { countsOf, heldIn, replicasOf, type Held } from "../hold.ts";
import { otherOf, placementsFor, type Counts, type Placement, type Side } from "../placement.ts";
import { beside, freeAtRest, groundOf, isGrowth, order, type Ground } from "../roll.ts";
import type { Sight } from "../sight.ts";
import { look, type Site, type Sites } from "../site.ts";
import { refuseStrangers } from "../strangers.ts";
import type { Errand } from "../under-fence.ts";
import { podsOf, sideOf, variantOf } from "../variant.ts";
import { fencedWorkload } from "./fenced-ports.ts";
import { pinnedIn } from "./pinned.ts";
import { selectorChange, point, readPinned, readService, refuseShared, unpin } from "./selector.ts";
import { hashOf, sideNamed, switchedJudge, switchedStateOf } from "./sides.ts";

/**
 * Instances as pods of one stock Deployment, of which the Service's selector names one release. While both are there, the Deployment is held with
 * all new pods beside all old ones, and a pod of the release that is not named is in the dark without any change to it: the same pods that were
 * proved take users later. The selector names the old template from before the first new pod comes until one release is left alone, and then it is
 * what it was.
 */
export const switchedWorkloadOn = (sites: Sites): Workload => fencedWorkload(sites, { stateIn, converge });

/** Whom the Service names is asked while the Deployment is held, and not otherwise. */
async function stateIn(site: Site, signal: AbortSignal) {
  const sight = await look(site, signal);
  if (heldIn(sight.deployment) === undefined) return switchedStateOf(sight, undefined, site.frame);
  const service = await readService(site, signal);
  const pinned = pinnedIn(service);
  const foreign = pinned === undefined ? undefined : selectorChange(site, service, pinned);
  return { ...switchedStateOf(sight, pinned?.chosen, site.frame), ...(foreign === undefined ? {} : { foreign }) };
}

async function converge(shape: Shape, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const ground = await groundOf(errand);
  refuseStrangers(site, shape, ground.sight);
  await removePods(site, ground.sight.dark, signal);
  const { held, target } = await schemeFor(shape, ground, errand);
  const counts = countsOf(held);
  const isBoth = counts.before + target.before > 0 && counts.after + target.after > 0;
  const begun = isBoth ? await pin({ ...ground, held }, errand) : { held };
  const grown = await placed(target, begun, errand, isGrowth);
  const chosen = await leaveTo(target, { ...begun, held: grown }, errand);
  const rest = await placed(target, { held: grown, ...chosen }, errand, () => true);
  if (target.before > 0 && target.after > 0) return;
  await unpin(errand);
  await freeAtRest({ held: rest, target, dark: [] }, errand);
}

/** How many of each release. A release that the Deployment never had is the one that comes after. */
export async function schemeFor(
  { releases }: Shape,
  { sight, held: known }: Ground,
  { site, signal }: Errand,
): Promise<{ readonly held: Held; readonly target: Counts }> {
  let held = known;
  let target: Counts = { before: 0, after: 0 };
  for (const [place, { digest, count }] of releases.entries()) {
    const isBack = place === 0 && releases.length === 2;
    if (count > 0 && sideOf(held, digest) === undefined)
      held = beside(held, await variantOf(site, { held, digest, isBack }, sight, signal));
    const side = sideOf(held, digest);
    if (side !== undefined) target = { ...target, [side]: count };
  }
  return { held, target };
}

type Begun = { readonly held: Held; readonly chosen?: Side };

/** Before a second release comes: the record, then the selector that names the first. A selector that is pinned already stays. */
async function pin({ sight, held }: Ground, errand: Errand): Promise<Begun> {
  const { site, signal } = errand;
  const { container } = site.frame;
  const pinned = await readPinned(site, signal);
  if (pinned !== undefined) return chosenIn(held, sideNamed(held, pinned.chosen, sight, container));
  const counts = countsOf(held);
  const first: Side = counts.before > 0 ? "before" : "after";
  const hash = hashOf(held, first, sight, container);
  // Nobody is there to be kept apart from.
  if (hash === undefined) return { held };
  await refuseShared(site, sight, signal);
  const recorded = heldIn(sight.deployment) === undefined ? await order(held, errand) : held;
  await point(hash, errand);
  return { held: recorded, chosen: first };
}

const chosenIn = (held: Held, chosen: Side | undefined): Begun => ({
  held,
  ...(chosen === undefined ? {} : { chosen }),
});

/** Orders what is missing, one patch after the other, and waits for each. What stands already is looked at all the same. */
export async function placed(
  target: Counts,
  { chosen, held: from }: Begun,
  errand: Errand,
  isTurn: (held: Held, placement: Placement) => boolean,
): Promise<Held> {
  const { site, signal } = errand;
  const judge = (held: Held) =>
    switchedJudge({ held, target, container: site.frame.container, ...(chosen === undefined ? {} : { chosen }) });
  let held = from;
  for (const placement of placementsFor(countsOf(from), target, replicasOf(from))) {
    if (!isTurn(held, placement)) continue;
    held = await order({ ...held, ordered: placement }, errand);
    await until(site, judge(held), signal);
  }
  const sight = held === from ? await look(site, signal) : undefined;
  if (sight !== undefined && judge(held)(sight) !== undefined) await until(site, judge(held), signal);
  return held;
}

/** Users go to whoever stays, before anybody leaves whom the Service names. */
async function leaveTo(target: Counts, { held, chosen }: Begun, errand: Errand): Promise<{ readonly chosen?: Side }> {
  if (chosen === undefined || target[chosen] > 0 || target[otherOf(chosen)] === 0)
    return chosen === undefined ? {} : { chosen };
  const { site, signal } = errand;
  await switchTo(otherOf(chosen), { held, sight: await look(site, signal) }, errand);
  return { chosen: otherOf(chosen) };
}

/** One patch, and then a moment until the endpoints are who it names. */
export async function switchTo(side: Side, { held, sight }: Ground, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const { container } = site.frame;
  const hash = hashOf(held, side, sight, container);
  if (hash === undefined) return;
  await point(hash, errand);
  await until(site, followed(held, side, container), signal);
}

/** Who is ready is in the Service if it is named, and nobody else is: how many they are is another question. */
const followed = (held: Held, chosen: Side, container: string) => {
  const judge = switchedJudge({ held, target: { before: 0, after: 0 }, chosen, container });
  return (sight: Sight) => {
    const late = podsOf(held, chosen, sight, container).filter(({ isReady, weightPct }) => isReady && weightPct === 0);
    return late.length === 0
      ? judge(sight)
      : { text: `${late.length} pods are ready and not yet in the Service`, pods: late.map(({ pod }) => pod) };
  };
};
