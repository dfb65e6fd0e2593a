import type { Shape, WorkloadState } from "../../../graph/observation.ts";
import type { Workload } from "../../../ports/workload.ts";
import { removePods } from "../dark-pods.ts";
import { countsOf, heldIn, type Held } from "../hold.ts";
import type { Side } from "../placement.ts";
import { freeAtRest, groundOf, isGrowth, order, type Ground } from "../roll.ts";
import { stateOf, type Sight } from "../sight.ts";
import { look, type Site, type Sites } from "../site.ts";
import { refuseStrangers } from "../strangers.ts";
import { fencedWorkload } from "../switch/fenced-ports.ts";
import { point, refuseShared, unpin } from "../switch/selector.ts";
import { hashIn, hashOf } from "../switch/sides.ts";
import { placed, schemeFor } from "../switch/workload-switched.ts";
import type { Errand } from "../under-fence.ts";
import { besideOf } from "./entries.ts";
import { listed, readEntry, refuseUnfit, seenEntry, type Entry } from "./entry.ts";
import { backendsOf } from "./http-route.ts";
import { taken, writeRoute } from "./write-route.ts";

/**
 * Instances as pods of one stock Deployment, and two Services in one HTTPRoute, of which each names the pods of one release while both are there.
 * What either takes is the route's weight for its Service. The component's own Service names whoever was there first; before they leave it names
 * those who stay, and takes all users again.
 */
export const routedWorkloadOn = (sites: Sites): Workload => fencedWorkload(sites, { stateIn, converge });

/** What the route says is asked while the Deployment is held, and not otherwise. */
async function stateIn(site: Site, signal: AbortSignal): Promise<WorkloadState> {
  const sight = await look(site, signal);
  if (heldIn(sight.deployment) === undefined) return stateOf(sight, site.frame);
  const { foreign, ...entry } = await seenEntry(site, signal);
  return { ...weighedState(sight, entry, site), ...(foreign === undefined ? {} : { foreign }) };
}

/** A pod takes what its release was given by the route, where its Service lists it. */
function weighedState(sight: Sight, { weighed }: Entry, { frame }: Site): WorkloadState {
  const state = stateOf(sight, frame);
  if (weighed === undefined) return state;
  const pcts = new Map(sight.pods.map((seen) => [seen.pod.metadata.name, weighed.pcts[hashIn(seen) ?? ""] ?? 0]));
  return {
    ...state,
    instances: state.instances.map((one) => ({
      ...one,
      weightPct: one.weightPct === 0 ? 0 : (pcts.get(one.id) ?? one.weightPct),
    })),
  };
}

async function converge(shape: Shape, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const ground = await groundOf(errand);
  refuseStrangers(site, shape, ground.sight);
  await removePods(site, ground.sight.dark, signal);
  const { held, target } = await schemeFor(shape, ground, errand);
  const counts = countsOf(held);
  const isBoth = counts.before + target.before > 0 && counts.after + target.after > 0;
  const begun = isBoth ? await enter({ ...ground, held }, errand) : held;
  const grown = await placed(target, { held: begun }, errand, isGrowth);
  if (target.before > 0 && target.after > 0) {
    await divide(grown, errand);
    await placed(target, { held: grown }, errand, () => true);
    return;
  }
  if (target.before + target.after > 0) await handOver(target.before > 0 ? "before" : "after", grown, errand);
  const rest = await placed(target, { held: grown }, errand, () => true);
  await leave(errand);
  await freeAtRest({ held: rest, target, dark: [] }, errand);
}

/** Before a second release comes: the records, and the Service that names the first. */
async function enter({ sight, held }: Ground, errand: Errand): Promise<Held> {
  const { site, signal } = errand;
  const { own, beside } = await readEntry(site, signal);
  if (own !== undefined) {
    // A hand-over was begun, and is taken back: whoever comes now is in neither Service.
    if (beside?.chosen === own.chosen) {
      await giveAll(own.chosen, sight, errand, { isMoved: true });
      await unpin({ ...errand, site: besideOf(site) });
    }
    return held;
  }
  const first: Side = countsOf(held).before > 0 ? "before" : "after";
  const hash = hashOf(held, first, sight, site.frame.container);
  // Nobody is there to be kept apart from.
  if (hash === undefined) return held;
  await refuseShared(site, sight, signal);
  await refuseUnfit(site, signal);
  const recorded = heldIn(sight.deployment) === undefined ? await order(held, errand) : held;
  await writeRoute(errand, (route, known) => ({ was: known?.was ?? backendsOf(route), pcts: { [hash]: 100 } }));
  await point(hash, errand);
  return recorded;
}

/** Each Service names a release of its own. The one beside takes nobody while it learns a new name. */
async function divide(held: Held, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const { own, beside } = await readEntry(site, signal);
  if (own === undefined) return;
  const sight = await look(site, signal);
  const second = otherHash(held, own.chosen, sight, site);
  if (second === undefined || second === beside?.chosen) return;
  if (beside !== undefined) await giveAll(own.chosen, sight, errand, { isMoved: true });
  await point(second, { ...errand, site: besideOf(site) });
  await listed(besideOf(site), readyOf(second, sight), signal);
}

function otherHash(held: Held, hash: string, sight: Sight, { frame }: Site): string | undefined {
  const hashes = (["before", "after"] as const).map((side) => hashOf(held, side, sight, frame.container));
  return hashes.find((one) => one !== undefined && one !== hash);
}

const readyOf = (hash: string, { pods }: Sight) => pods.filter((seen) => hashIn(seen) === hash && seen.isReady);

/** Users are with whoever stays, by the component's own Service, before anybody leaves. */
async function handOver(staying: Side, held: Held, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const { own } = await readEntry(site, signal);
  if (own === undefined) return;
  const sight = await look(site, signal);
  const hash = hashOf(held, staying, sight, site.frame.container);
  if (hash === undefined) return;
  await point(hash, errand);
  await giveAll(hash, sight, errand, { isMoved: own.chosen !== hash });
}

/**
 * A gateway reads routes and endpoints by different watches, and says that it has read a route before it serves by it: the slowest default known is 2 s.
 */
export const SETTLING_MS = 2_000;

/**
 * All users to the component's own Service, which names this release: the weights as they were found. Resolves once the gateway serves by them.
 * `isMoved`: the Service may have named another one until now.
 */
export async function giveAll(
  hash: string,
  sight: Sight,
  errand: Errand,
  { isMoved, isShown = false }: { readonly isMoved: boolean; readonly isShown?: boolean },
): Promise<void> {
  const { site, signal } = errand;
  await listed(site, readyOf(hash, sight), signal);
  const isDone = (known: Entry["weighed"]): boolean =>
    known !== undefined && known.now === undefined && known.pcts[hash] === 100;
  const { weighed } = isShown ? await seenEntry(site, signal) : await readEntry(site, signal);
  if (isDone(weighed) && !isShown) return;
  if (isMoved) await site.options.clock.sleep(SETTLING_MS, signal);
  await writeRoute(
    errand,
    (_, known) => (known === undefined ? undefined : { was: known.was, pcts: { [hash]: 100 } }),
    isShown,
  );
  await taken(site, signal);
  await site.options.clock.sleep(SETTLING_MS, signal);
}

/** One release is there: both Services and the route are what they were, and nothing is left of the records. */
async function leave(errand: Errand): Promise<void> {
  await unpin({ ...errand, site: besideOf(errand.site) });
  await unpin(errand);
  await writeRoute(errand, (_, known) => (known === undefined ? undefined : "free"));
}
