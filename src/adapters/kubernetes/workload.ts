import type { Shape } from "../../graph/observation.ts";
import type { Workload } from "../../ports/workload.ts";
import { darkWanted, removePods, startDark } from "./dark-pods.ts";
import { handedOver } from "./handover.ts";
import { countsOf, heldIn, type Held, type Variant } from "./hold.ts";
import { isIt, type DarkWanted } from "./judge.ts";
import type { Counts } from "./placement.ts";
import {
  beside,
  freeAtRest,
  groundOf,
  growTo,
  isSettledIn,
  order,
  settle,
  shrinkTo,
  type Aim,
  type Ground,
} from "./roll.ts";
import { ordinalOf, stateOf, type SeenPod, type Sight } from "./sight.ts";
import { inOurWords, sightNow, type Site, type Sites } from "./site.ts";
import { refuseStrangers } from "./strangers.ts";
import { underFence, writeFence, type Errand } from "./under-fence.ts";
import { sideOf, variantOf } from "./variant.ts";

/**
 * Instances as pods. Those that users reach are the pods of one stock Deployment, held at exactly the counts that were ordered
 * (`placement.ts`). Those in the dark are single pods beside it, which no Service selects; when they are admitted the Deployment brings
 * as many of its own, and then they go: what is proved in the dark is the template, in its real place.
 *
 * Three things are as Kubernetes has them. A pod that dies comes back by itself, in traffic. A pod drains as its own preStop and termination
 * grace say, whatever the order says of draining. And the release that was there before (the first of two) is brought back by the Deployment at
 * once, in traffic: it has proved itself, and an undo is in a hurry.
 */
export const workloadOn = (sites: Sites): Workload => ({
  observe: (region, signal) =>
    inOurWords("WORKLOAD_UNREACHABLE", async () => {
      signal.throwIfAborted();
      const site = sites(region);
      return stateOf(handedOver(await sightNow(site, signal)), site.frame);
    }),
  shape: (region, shape, fence, signal) =>
    inOurWords("WORKLOAD_UNREACHABLE", async () => {
      signal.throwIfAborted();
      const site = sites(region);
      await underFence({ site, fence, signal }, (errand) => converge(shape, errand));
      return stateOf(handedOver(await sightNow(site, signal)), site.frame);
    }),
});

async function converge(shape: Shape, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const { sight, held } = await groundOf(errand);
  refuseStrangers(site, shape, sight);
  const scheme = await schemeFor(shape, { sight, held }, errand);
  if (scheme.isIdle) return void (await settle(scheme, errand));
  if (scheme.missing.length > 0) await order(scheme.held, errand);
  await Promise.all(
    scheme.missing.map(({ variant, wanted }) =>
      startDark({ site, owner: sight.deployment.metadata, signal }, variant, wanted),
    ),
  );
  const grown = await growTo(scheme, errand);
  const isAsBefore = grown === scheme.held && scheme.missing.length === 0;
  if (!isAsBefore || !isSettledIn(scheme, sight, errand)) await settle({ ...scheme, held: grown }, errand);
  const rest = await shrinkTo({ ...scheme, held: grown }, errand);
  if (scheme.surplus.length > 0) await writeFence(errand);
  await removePods(site, scheme.surplus, signal);
  await freeAtRest({ ...scheme, held: rest }, errand);
}

/** What one order comes to. */
type Scheme = Aim & {
  readonly missing: readonly { readonly variant: Variant; readonly wanted: DarkWanted }[];
  readonly surplus: readonly SeenPod[];
  /** Nothing has to be changed. */
  readonly isIdle: boolean;
};

async function schemeFor(shape: Shape, ground: Ground, errand: Errand): Promise<Scheme> {
  const { site, signal } = errand;
  const { sight } = ground;
  let { held } = ground;
  let target: Counts = { before: 0, after: 0 };
  const missing: { readonly variant: Variant; readonly wanted: DarkWanted }[] = [];
  const dark: DarkWanted[] = [];
  for (const [place, { digest, count }] of shape.releases.entries()) {
    const isBack = place === 0 && shape.releases.length === 2 && count <= held.rest.replicas;
    if (isBack && count > 0 && sideOf(held, digest) === undefined)
      held = beside(held, await variantOf(site, { held, digest, isBack }, sight, signal));
    const side = sideOf(held, digest);
    const serving = side === undefined ? 0 : isBack ? count : Math.min(countsOf(held)[side], count);
    if (side !== undefined) target = { ...target, [side]: serving };
    const wanted = darkFor(site, sight, { digest, from: serving + 1, count: count - serving });
    dark.push(...wanted);
    const absent = wanted.filter((one) => !sight.dark.some((seen) => isIt(seen, one)));
    if (absent.length > 0) {
      const variant = await variantOf(site, { held, digest, isBack }, sight, signal);
      missing.push(...absent.map((one) => ({ variant, wanted: one })));
    }
  }
  const surplus = sight.dark.filter((seen) => !dark.some((one) => isIt(seen, one)));
  const isIdle = missing.length === 0 && surplus.length === 0 && !isDue(held, target, dark, sight);
  return { held, target, dark, missing, surplus, isIdle };
}

/** Whether the Deployment itself has to be written: its counts differ, or it is at rest and still held. */
function isDue(held: Held, target: Counts, dark: readonly DarkWanted[], { deployment }: Sight): boolean {
  const { before, after } = countsOf(held);
  return before !== target.before || after !== target.after || (dark.length === 0 && heldIn(deployment) !== undefined);
}

type Place = { readonly digest: string; readonly from: number; readonly count: number };

/** Who stays in the dark, and who is new there: those that are ready stay before those that are not. */
function darkFor(site: Site, sight: Sight, { digest, from, count }: Place): readonly DarkWanted[] {
  const there = sight.dark
    .filter((seen) => seen.digest === digest)
    .toSorted((a, b) => Number(b.isReady) - Number(a.isReady) || ordinalOf(a) - ordinalOf(b))
    .slice(0, count)
    .map((seen) => ordinalOf(seen));
  const free: number[] = [];
  for (let ordinal = from; there.length + free.length < count; ordinal += 1)
    if (!there.includes(ordinal)) free.push(ordinal);
  return [...there, ...free].map((ordinal) => darkWanted(site, digest, ordinal));
}
