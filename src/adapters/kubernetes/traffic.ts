import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Weighing } from "../../graph/observation.ts";
import type { Traffic } from "../../ports/traffic.ts";
import { removePods } from "./dark-pods.ts";
import { countsOf, replicasOf, type Held, type Variant } from "./hold.ts";
import { otherOf, withdrawalFor, type Counts, type Side } from "./placement.ts";
import {
  beside,
  exchange,
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
import { ordinalOf, type SeenPod, type Sight } from "./sight.ts";
import { inOurWords, type Site, type Sites } from "./site.ts";
import { underFence, writeFence, type Errand } from "./under-fence.ts";
import { podsOf, sideOf, variantOf } from "./variant.ts";

/**
 * Who is in the Service. A Service sends every endpoint the same, so an instance takes all or nothing. To be admitted is to become a pod of
 * the Deployment. To be withdrawn is to stop being one: a pod that is only hidden would be replaced by another one just as bad, so the old
 * template is put back and the new pods are told to leave, both at once. The next look shows them gone, and the old ones on their way back to
 * their full number. Also rejects `INSTANCE_NOT_READY`: nobody is sent to an instance that does not answer.
 */
export const trafficOn = (sites: Sites): Traffic => ({
  weigh: (region, weighing, fence, signal) =>
    inOurWords("BALANCER_UNREACHABLE", async () => {
      signal.throwIfAborted();
      refuseShares(weighing);
      const site = sites(region);
      await underFence({ site, fence, signal }, (errand) => distribute(weighing, errand));
    }),
});

export function refuseShares(weighing: Weighing): void {
  const share = weighing.find(({ admitted, weightPct }) => admitted > 0 && weightPct > 0 && weightPct < 100);
  if (share === undefined) return;
  throw new UpgradeError(
    "DRIVER_CANNOT",
    `a Service sends every endpoint the same, so none of them can take ${share.weightPct}%`,
    { hint: "take the `shift` out of the plan: waves and batches decide how much the new release takes" },
  );
}

async function distribute(weighing: Weighing, errand: Errand): Promise<void> {
  const { site, signal } = errand;
  const ground = await groundOf(errand);
  const { admitted, sick, ...asked } = await ballotFor(weighing, ground, errand);
  const left = await withdraw(asked, ground.sight, errand);
  const isPlain = left === asked && admitted.length === 0 && sick.length === 0;
  if (isPlain && isNamed(weighing, asked.held.after)) await awaitOrdered(asked, ground, errand);
  const aim = isPlain ? { ...left, held: await exchange(left, ground.sight, errand) } : left;
  const turns = admitted.map(({ pod }) => pod.metadata.name);
  const { admitted: _, ...grown } = await growTo({ ...aim, held: { ...aim.held, admitted: turns } }, errand);
  if (admitted.length > 0) await writeFence(errand);
  await removePods(site, admitted, signal);
  const held = await shrinkTo({ ...aim, held: grown }, errand);
  // After a withdrawal the old ones are still on their way: whoever looks after them lets the Deployment go.
  if (left === asked && admitted.length === ground.sight.dark.length) await freeAtRest({ ...aim, held }, errand);
  if (sick.length > 0) throw notReady(sick, site);
}

const isNamed = (weighing: Weighing, variant: Variant | undefined): boolean =>
  weighing.some(({ digest, admitted, weightPct }) => digest === variant?.digest && admitted > 0 && weightPct > 0);

/** An order is repeated when it failed, and when its conductor died: whoever it brought and is not ready yet is waited for as the first time. */
async function awaitOrdered({ held, target }: Aim, { sight, held: known }: Ground, errand: Errand): Promise<void> {
  const { after } = countsOf(known);
  const ordered: Aim = { held: known, target: { before: 0, after: Math.min(after, target.after) }, dark: [] };
  if (held.after === known.after && !isSettledIn(ordered, sight, errand)) await settle(ordered, errand);
}

const notReady = (sick: readonly SeenPod[], { frame }: Site): UpgradeError =>
  new UpgradeError(
    "INSTANCE_NOT_READY",
    `${sick.map(({ pod }) => pod.metadata.name).join(", ")} in ${frame.region} may not take traffic: not ready`,
    { hint: "look at the pod with `kubectl describe pod` and `kubectl logs`" },
  );

/** What the Deployment shall come to, and what becomes of the pods in the dark. */
type Ballot = Aim & {
  /** Their turn has come: the Deployment brings as many, then they go. */
  readonly admitted: readonly SeenPod[];
  readonly sick: readonly SeenPod[];
};

/** Digests that are not named keep what they have. */
async function ballotFor(weighing: Weighing, ground: Ground, { site, signal }: Errand): Promise<Ballot> {
  const { sight } = ground;
  let { held } = ground;
  let target = countsOf(held);
  const turns: SeenPod[] = [];
  for (const { digest, admitted, weightPct } of weighing) {
    const wanted = weightPct === 0 ? 0 : admitted;
    const turn = sight.dark.filter((seen) => seen.digest === digest && ordinalOf(seen) <= wanted);
    if (wanted > 0 && sideOf(held, digest) === undefined)
      held = beside(held, await variantOf(site, { held, digest, isBack: false }, sight, signal));
    const side = sideOf(held, digest);
    if (side === undefined) continue;
    const serving = countsOf(held)[side];
    const ready = wanted - turn.filter(({ isReady }) => !isReady).length;
    target = { ...target, [side]: wanted <= serving ? wanted : Math.max(serving, ready) };
    turns.push(...turn);
  }
  return {
    held,
    target: isWithdrawn(held, target) ? { ...target, before: Math.max(target.before, countsOf(held).before) } : target,
    dark: [],
    admitted: turns.filter(({ isReady }) => isReady),
    sick: turns.filter(({ isReady }) => !isReady),
  };
}

/** Its new release has left and does not come back: whoever filled its places stays, also when the same is ordered again. */
const isWithdrawn = (held: Held, target: Counts): boolean =>
  held.after !== undefined && countsOf(held).after === 0 && target.after === 0;

/**
 * A release that shall take nothing leaves first and at once, if anybody else serves: it was accused, and waiting costs users. What it leaves
 * behind is filled up by the other one, to the number that was there before.
 */
async function withdraw(aim: Aim, sight: Sight, errand: Errand): Promise<Aim> {
  const { site, signal } = errand;
  const counts = countsOf(aim.held);
  const side = leavingOf(counts, aim.target);
  if (side === undefined) return aim;
  let { held } = aim;
  for (const placement of withdrawalFor(counts, side, held.rest.replicas, replicasOf(held))) {
    held = await order({ ...held, ordered: placement }, errand);
    await removePods(site, podsOf(held, side, sight, site.frame.container), signal);
  }
  await settle({ held, target: { before: 0, after: 0 }, dark: [] }, errand);
  const other = otherOf(side);
  return { ...aim, held, target: { ...aim.target, [other]: Math.max(aim.target[other], countsOf(held)[other]) } };
}

function leavingOf(counts: Counts, target: Counts): Side | undefined {
  const sides: readonly Side[] = ["after", "before"];
  return sides.find((side) => counts[side] > 0 && target[side] === 0 && counts[otherOf(side)] > 0);
}
