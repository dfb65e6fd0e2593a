import { isObserved } from "../api/objects.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Fence } from "../../../ports/fence.ts";
import { removePods } from "../dark-pods.ts";
import { endPods } from "../end-pods.ts";
import { differencesOf, type Variant } from "../hold.ts";
import { serves, type DarkWanted } from "../judge.ts";
import { otherOf, type Side } from "../placement.ts";
import { ordinalOf, type SeenPod } from "../sight.ts";
import { objectText, type Site } from "../site.ts";
import { watchUntil, type Judge } from "../api/until.ts";
import { podsOf, variantFor, variantNow } from "../variant.ts";
import { amendSet } from "./amend-set.ts";
import { evict } from "./evict.ts";
import { handedTo, leavers, settledAs, unfinished, unreadOrder, withdrawn } from "./judge-set.ts";
import {
  freeSetFields,
  heldSetFields,
  placesOf,
  setFieldsOf,
  setHeldIn,
  setHoldOf,
  type SetHeld,
  type SetOrder,
} from "./set-held.ts";
import { kindOf, setSightNow, pastTemplates, sceneOf, type SetSight } from "./set-site.ts";

/** What one call works with. */
export type SetErrand = { readonly site: Site; readonly fence: Fence; readonly signal: AbortSignal };

/** What stands now, and the record of it: the one in the set, or the one that would be written first. */
export type SetGround = { readonly sight: SetSight; readonly held: SetHeld };

/** A controller that has just been given its last order needs a moment until its status says so. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 400;

/** Rejects `FOREIGN_CHANGE` when a rollout of somebody else is under way. */
export async function setGroundOf({ site, signal }: SetErrand): Promise<SetGround> {
  for (let turn = 1; ; turn += 1) {
    const sight = await setSightNow(site, signal);
    const held = setHeldIn(sight.set);
    if (held !== undefined) return { sight, held };
    const { pods, set } = sight;
    if (isSettled(sight))
      return { sight, held: setHoldOf(set, variantNow(set.spec.template, pods, site.frame).digest) };
    if (turn === LOOKS) throw rolling(site, sight);
    await site.options.clock.sleep(BETWEEN_LOOKS_MS, signal);
  }
}

const isSettled = (sight: SetSight): boolean => isObserved(sight.set) && updatedIn(sight) === sight.places;

const updatedIn = ({ set: { status }, kind }: SetSight): number =>
  (kind === "StatefulSet" ? status?.updatedReplicas : status?.updatedNumberScheduled) ?? 0;

/** A rollout that somebody else began is his. */
const rolling = (site: Site, sight: SetSight): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `${objectText(site)} is in the middle of a rollout: ${updatedIn(sight)} of ${sight.places} pods have its present template`,
    { hint: "let it end, or undo it, then start again" },
  );

/** The record with a release in it that is not there yet. */
export async function besideSet({ sight, held }: SetGround, digest: string, errand: SetErrand): Promise<SetHeld> {
  if (held.before.digest === digest || held.after?.digest === digest) return held;
  const variant = await setVariantOf({ sight, held }, digest, errand);
  if (held.after === undefined || placesOf(held, sight.places).after === 0) return { ...held, after: variant };
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `a third release shall run (${digest}) while two of them do: ${held.before.digest} and ${held.after.digest}`,
    { hint: "end the upgrade that is under way first" },
  );
}

const setVariantOf = ({ sight, held }: SetGround, digest: string, { site, signal }: SetErrand): Promise<Variant> =>
  variantFor(site, { held, digest, past: () => pastTemplates(site, sight.set, signal) }, signal);

/** Writes the record, and with it what it orders. */
export async function orderSet(held: SetHeld, { site, fence, signal }: SetErrand): Promise<SetHeld> {
  const kind = kindOf(site);
  await amendSet(
    site,
    fence,
    (set, known) => {
      if (known === undefined) refuseChanged(held, set);
      return { held, fields: heldSetFields(kind, held) };
    },
    signal,
  );
  return held;
}

function refuseChanged({ rest, before }: SetHeld, set: SetSight["set"]): void {
  const differences = differencesOf({ ...rest, template: before.template }, setFieldsOf(set));
  if (differences.length === 0) return;
  throw new UpgradeError("FOREIGN_CHANGE", `${set.metadata.name} was changed just now: ${differences.join("; ")}`, {
    hint: "let the other change end, then `midflight resume`",
  });
}

/**
 * The way forward: pods of the template after take places one by one, each once the one before it serves. A StatefulSet's controller takes the
 * place with the highest number, a DaemonSet's place is emptied by an eviction. Who waits in the dark for the place goes when it is served.
 */
export async function advance(held: SetHeld, fresh: number, errand: SetErrand): Promise<SetHeld> {
  const { site, signal } = errand;
  let now = held;
  for (;;) {
    const sight = await setSightNow(site, signal);
    const taken = placesOf(now, sight.places).after;
    // An order that nobody saw come true is given again: whoever gave it may have died before it was answered.
    const isOpen = isUnanswered(now, sight, site);
    const count = isOpen ? taken : taken + 1;
    if (count > fresh) return now;
    // A place that is empty now would be filled from the next template.
    if (!isOpen) await settleSet(settledAs(site, now, []), errand);
    now = await takePlace(now, count, sight, errand);
  }
}

const isUnanswered = (held: SetHeld, sight: SetSight, site: Site): boolean =>
  freshIn(held, sight, site).filter((pod) => serves(pod)).length < placesOf(held, sight.places).after ||
  (held.admitted ?? []).some((name) => sight.dark.some(({ pod }) => pod.metadata.name === name));

const freshIn = (held: SetHeld, sight: SetSight, { frame }: Site): readonly SeenPod[] =>
  podsOf(held, "after", sight, frame.container);

async function takePlace(held: SetHeld, count: number, sight: SetSight, errand: SetErrand): Promise<SetHeld> {
  const { site, signal } = errand;
  const known = sight.dark.filter(({ pod }) => held.admitted?.includes(pod.metadata.name) === true);
  const waiting = sight.dark
    .filter(({ digest, isReady }) => digest === held.after?.digest && isReady)
    .toSorted((a, b) => ordinalOf(a) - ordinalOf(b));
  const standIns = (known.length > 0 ? known : waiting).slice(0, 1);
  const ordered: SetOrder = { template: "after", fresh: count, places: sight.places };
  const now = await orderSet({ ...held, ordered, admitted: standIns.map(({ pod }) => pod.metadata.name) }, errand);
  if (sight.kind === "DaemonSet") await emptyPlace(now, errand);
  await settleSet(settledAs(site, now, []), errand);
  await removePods(site, standIns, signal);
  return now;
}

/** Unless it was emptied already. One that does not serve goes first. */
async function emptyPlace(held: SetHeld, { site, signal }: SetErrand): Promise<void> {
  await settleSet((sight) => unreadOrder(site, sight), { site, signal });
  const sight = await setSightNow(site, signal);
  const old = podsOf(held, "before", sight, site.frame.container);
  if (old.length <= placesOf(held, sight.places).before) return;
  const [next] = old.toSorted((a, b) => Number(serves(a)) - Number(serves(b)) || (nodeOf(a) < nodeOf(b) ? -1 : 1));
  if (next !== undefined) await evict(site, next.pod, signal);
}

const nodeOf = ({ pod }: SeenPod): string => pod.spec.nodeName ?? "";

/**
 * The way back: one release takes all places, in a hurry. Its template is put there at once, and pods of the other one leave in few turns, at
 * least half of all places served by anybody meanwhile; a StatefulSet's controller may take one more by itself. A pod that never got ready is
 * deleted too: a StatefulSet would wait for it for ever (kubernetes#67250).
 */
export async function takeAll(held: SetHeld, side: Side, errand: SetErrand): Promise<SetHeld> {
  const { site, signal } = errand;
  const now = await orderAll(held, side, errand);
  for (;;) {
    const sight = await setSightNow(site, signal);
    const leaving = podsOf(now, otherOf(side), sight, site.frame.container);
    if (leaving.length === 0) break;
    const gone = leavers(leaving, sight.pods, sight.places);
    await deletePods(site, gone, signal);
    await settleSet(handedTo(site, { held: now, side, left: leaving.length - gone.length }), errand);
  }
  await settleSet(settledAs(site, now, []), errand);
  return now;
}

/** Those who were accused leave all at once, and who comes after them is not waited for. */
export async function withdrawAll(held: SetHeld, side: Side, errand: SetErrand): Promise<void> {
  const { site, signal } = errand;
  const now = await orderAll(held, otherOf(side), errand);
  const sight = await setSightNow(site, signal);
  await deletePods(site, podsOf(now, side, sight, site.frame.container), signal);
  await settleSet(withdrawn(site, now, side), errand);
}

/** Also waits until its controller knows: a place that is emptied before would be filled from the template that was there. */
async function orderAll(known: SetHeld, side: Side, errand: SetErrand): Promise<SetHeld> {
  const { admitted: _, ...held } = known;
  const { site, signal } = errand;
  const { places } = await setSightNow(site, signal);
  const fresh = side === "after" ? places : 0;
  const now = await orderSet({ ...held, ordered: { template: side, fresh, places } }, errand);
  await settleSet((sight) => unreadOrder(site, sight), errand);
  return now;
}

/** With the grace that they state themselves: they may hold data. Users are gone from them at once all the same. */
export const deletePods = (site: Site, pods: readonly SeenPod[], signal: AbortSignal): Promise<void> =>
  endPods(
    site,
    pods.map(({ pod }) => pod.metadata.name),
    signal,
  );

/** A look is enough where nothing is missing. */
export async function settleSet(
  judge: Judge<SetSight>,
  { site, signal }: Pick<SetErrand, "site" | "signal">,
): Promise<SetSight> {
  const sight = await setSightNow(site, signal);
  return judge(sight) === undefined ? sight : watchUntil(site, sceneOf(site), judge, signal);
}

/** Waits until all places are as the record says, and these are ready in the dark. */
export const settleAs = (held: SetHeld, dark: readonly DarkWanted[], errand: SetErrand): Promise<SetSight> =>
  settleSet(settledAs(errand.site, held, dark), errand);

/** Lets the set go once one release alone stands in it. */
export async function freeSet(held: SetHeld, errand: SetErrand): Promise<void> {
  const { site, fence, signal } = errand;
  const { places } = await setSightNow(site, signal);
  const { before, after } = placesOf(held, places);
  if (before > 0 && after > 0) return;
  if (held.ordered !== undefined) await settleSet((sight) => unfinished(site, sight), errand);
  const kind = kindOf(site);
  await amendSet(
    site,
    fence,
    (_, known) => (known === undefined ? undefined : { held: undefined, fields: freeSetFields(kind, known) }),
    signal,
  );
  await settleSet((sight) => unreadOrder(site, sight), errand);
}
