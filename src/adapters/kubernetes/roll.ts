import { UpgradeError } from "../../errors/upgrade-error.ts";
import { amend, type Decide } from "./amend.ts";
import { cleanHistory } from "./history.ts";
import {
  countsOf,
  differencesOf,
  fieldsOf,
  freeFields,
  heldFields,
  heldIn,
  holdOf,
  replicasOf,
  type Held,
  type Variant,
} from "./hold.ts";
import { judgeOf, unobserved, type DarkWanted } from "./judge.ts";
import { exchangeFor, placementsFor, type Counts, type Placement, type Side } from "./placement.ts";
import { isObserved, type Deployment } from "./api/objects.ts";
import type { Sight } from "./sight.ts";
import { sightNow } from "./site.ts";
import { until, type Judge } from "./api/until.ts";
import { decideOn, refuseOvertaken, writeFence, type Errand } from "./under-fence.ts";
import { presentVariant } from "./variant.ts";

/** What a Deployment is now, and what it shall come to. */
export type Aim = { readonly held: Held; readonly target: Counts; readonly dark: readonly DarkWanted[] };

/** What stands now, and the record of it: the one in the Deployment, or the one that would be written first. */
export type Ground = { readonly sight: Sight; readonly held: Held };

/** A controller that has just been given its last order needs a moment until its status says so. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 400;

/** Rejects when nothing may be begun: `FOREIGN_CHANGE` (a rollout of somebody else), `KUBERNETES_REFUSED` (it is paused). */
export async function groundOf(errand: Errand): Promise<Ground> {
  const { site, signal } = errand;
  for (let turn = 1; ; turn += 1) {
    const sight = await sightNow(site, signal);
    decideOn(sight.deployment, errand);
    const held = heldIn(sight.deployment);
    if (held !== undefined) return { sight, held: withoutAdmitted(held) };
    refusePaused(sight.deployment);
    if (isSettled(sight.deployment))
      return { sight, held: holdOf(sight.deployment, presentVariant(sight, site.frame).digest) };
    if (turn === LOOKS) throw rolling(sight.deployment);
    await site.options.clock.sleep(BETWEEN_LOOKS_MS, signal);
  }
}

/** That was about an order before: names of pods in the dark are given again. */
function withoutAdmitted(held: Held): Held {
  const { admitted: _, ...kept } = held;
  return kept;
}

/** A release that shall run beside the one that was there before. */
export function beside(held: Held, variant: Variant): Held {
  if (held.after === undefined || countsOf(held).after === 0) return { ...held, after: variant };
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `a third release shall run (${variant.digest}) while two of them do: ${held.before.digest} and ${held.after.digest}`,
    { hint: "end the upgrade that is under way first" },
  );
}

function refusePaused({ metadata: { name }, spec }: Deployment): void {
  if (spec.paused !== true) return;
  throw new UpgradeError("KUBERNETES_REFUSED", `deployment ${name} is paused, so its controller does nothing`, {
    hint: `find out why, then kubectl rollout resume deployment/${name}`,
  });
}

function isSettled(deployment: Deployment): boolean {
  const { spec, status } = deployment;
  const { replicas = 1 } = spec;
  return isObserved(deployment) && (status?.updatedReplicas ?? 0) === replicas && (status?.replicas ?? 0) === replicas;
}

/** A rollout that somebody else began is his. */
const rolling = ({ metadata: { name }, spec: { replicas = 1 }, status }: Deployment): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `deployment ${name} is in the middle of a rollout: ${status?.updatedReplicas ?? 0} of ${replicas} pods have its present template, and ${status?.replicas ?? 0} are there`,
    { hint: "let it end, or undo it, then start again" },
  );

/** Adds what is missing, one patch after the other, and waits until it serves. */
export async function growTo(aim: Aim, errand: Errand): Promise<Held> {
  let { held } = aim;
  for (const placement of stepsOf(aim).filter((step) => isGrowth(held, step))) {
    held = await order({ ...held, ordered: placement }, errand);
    const side = placement.template;
    await until(errand.site, judgeFor({ held, target: onlyOf(side, placement), dark: [] }, errand), errand.signal);
  }
  return held;
}

/** Brings the next ones and lets go whose places are taken, at once, where everybody serves who is counted on meanwhile. Otherwise nothing is done. */
export async function exchange(aim: Aim, sight: Sight, errand: Errand): Promise<Held> {
  const counts = countsOf(aim.held);
  const placement = exchangeFor(counts, aim.target, aim.held.rest.replicas);
  const isReady = isSettledIn({ ...aim, target: { ...counts, before: aim.target.before } }, sight, errand);
  if (placement === undefined || replicasOf(aim.held) !== aim.held.rest.replicas || !isReady) return aim.held;
  const held = await order({ ...aim.held, ordered: placement }, errand);
  await until(errand.site, judgeFor({ ...aim, held }, errand), errand.signal);
  return held;
}

/** Takes away what is too much. Everything that shall stay serves already. */
export async function shrinkTo(aim: Aim, errand: Errand): Promise<Held> {
  let { held } = aim;
  for (const placement of stepsOf(aim)) {
    held = await order({ ...held, ordered: placement }, errand);
    await until(errand.site, judgeFor({ ...aim, held }, errand), errand.signal);
  }
  return held;
}

const stepsOf = ({ held, target }: Aim): readonly Placement[] =>
  placementsFor(countsOf(held), target, replicasOf(held));

/** Also a step that only changes `replicas` on the way to more. */
export const isGrowth = (held: Held, { before, after }: Placement): boolean => {
  const counts = countsOf(held);
  return before >= counts.before && after >= counts.after;
};

const onlyOf = (side: Side, { before, after }: Counts): Counts =>
  side === "before" ? { before, after: 0 } : { before: 0, after };

/** Writes the record, and with it what it orders. */
export async function order(held: Held, errand: Errand): Promise<Held> {
  const { site, fence, signal, stamp } = errand;
  await amend(
    site,
    fence,
    (deployment, known) => {
      refuseOvertaken(deployment, errand);
      if (known === undefined) refuseChanged(held, fieldsOf(deployment));
      return { held, fields: heldFields(held) };
    },
    signal,
  );
  stamp.isWritten = true;
  return held;
}

function refuseChanged({ rest, before }: Held, found: ReturnType<typeof fieldsOf>): void {
  const differences = differencesOf({ ...rest, template: before.template }, found);
  if (differences.length === 0) return;
  throw new UpgradeError("FOREIGN_CHANGE", `the Deployment was changed just now: ${differences.join("; ")}`, {
    hint: "let the other change end, then `midflight resume`",
  });
}

/** Waits until all is as it was aimed at. */
export async function settle(aim: Aim, errand: Errand): Promise<Sight> {
  await writeFence(errand);
  return settleBy(judgeFor(aim, errand), errand);
}

/** Whether all is as it was aimed at already. */
export const isSettledIn = (aim: Aim, sight: Sight, errand: Errand): boolean =>
  judgeFor(aim, errand)(sight) === undefined;

const judgeFor = ({ held, target, dark }: Aim, { site }: Errand): Judge =>
  judgeOf({ held, target, dark, container: site.frame.container });

/** A look is enough where nothing is missing. */
async function settleBy(judge: Judge, { site, signal }: Errand): Promise<Sight> {
  const sight = await sightNow(site, signal);
  return judge(sight) === undefined ? sight : until(site, judge, signal);
}

/** Lets the Deployment go once one release alone stands in it, as many as before, and nothing is left in the dark. */
export async function freeAtRest({ held, dark }: Aim, errand: Errand): Promise<void> {
  const { site, fence, signal, stamp } = errand;
  if (dark.length > 0 || !isAtRest(held)) return;
  const free: Decide = (_, known) =>
    known === undefined || !isAtRest(known) ? undefined : { held: undefined, fields: freeFields(known) };
  await amend(site, fence, free, signal);
  stamp.isWritten = true;
  // A controller that has not read this yet would copy the record once more.
  const { deployment } = await settleBy(unobserved, errand);
  await cleanHistory(site, deployment, signal);
}

function isAtRest(held: Held): boolean {
  const { before, after } = countsOf(held);
  return before + after === held.rest.replicas && (before === 0 || after === 0);
}
