import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { isReplacing } from "../../../plan/in-place.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { Hold, Holds, Keeping } from "../../../ports/holds.ts";
import { writeFenced } from "../amend.ts";
import { removePods } from "../dark-pods.ts";
import { cleanHistory } from "../history.ts";
import { fenceIn, HELD } from "../hold.ts";
import { unreadOrder } from "../in-place/judge-set.ts";
import { deletePods, settleSet } from "../in-place/replace.ts";
import { unobserved } from "../judge.ts";
import { leftoverAt, type Leftover } from "./leftover.ts";
import type { KubernetesOptions } from "../api/options.ts";
import { giveBackIn, waitingIn } from "./pausing.ts";
import { handOverEntry, leaveEntry, leftoverEntryAt } from "../route/leftover-entry.ts";
import type { SeenPod } from "../sight.ts";
import { inOurWords, objectText, sitesOf, type Site } from "../site.ts";
import type { Leave } from "../switch/leftover-pin.ts";
import { until } from "../api/until.ts";

/** Objects that a run left held, pods that it left in the dark, and managers that wait for it. */
export function kubernetesHolds(options: KubernetesOptions): Holds {
  const sites = sitesOf(options);
  return {
    look: (region, keeping, signal) => inOurWords("WORKLOAD_UNREACHABLE", () => lookIn(sites(region), keeping, signal)),
    release: (hold, keeping, fence, signal) =>
      inOurWords("WORKLOAD_UNREACHABLE", () => releaseIn(sites(hold.region), hold, { keeping, fence }, signal)),
  };
}

async function lookIn(site: Site, keeping: Keeping, signal: AbortSignal): Promise<Hold | undefined> {
  const [left, waiting, pin] = await Promise.all([
    leftoverAt(site, signal),
    waitingIn(site, signal),
    leftoverEntryAt(site, signal),
  ]);
  const { metadata, dark, held } = left;
  if (held === undefined && dark.length === 0 && waiting.length === 0 && pin === undefined) return undefined;
  const record = metadata.annotations?.[HELD];
  return {
    region: site.region,
    place: `${objectText(site)} in ${site.api.namespace} of ${site.api.context}`,
    ...(held === undefined ? {} : { stands: standing(held, site) }),
    changes: [...(held?.changes(keeping) ?? []), ...(pin?.changes ?? [])],
    dark: namesOf(dark),
    stuck: namesOf(held?.stuck(keeping) ?? []),
    staying: namesOf(held?.staying(keeping) ?? []),
    waiting,
    fence: fenceIn({ metadata }),
    ...(record === undefined ? {} : { record }),
    ...(pin === undefined ? {} : { entryRecord: pin.record }),
  };
}

const namesOf = (pods: readonly SeenPod[]): readonly string[] => pods.map(({ pod }) => pod.metadata.name);

function standing(held: NonNullable<Leftover["held"]>, { frame }: Site): string {
  const counts = (["before", "after"] as const).flatMap((side) => {
    const digest = held.digest(side);
    return digest === undefined
      ? []
      : [`${held.pods(side).length} of ${frame.names.get(digest) ?? digest.slice(0, 19)}`];
  });
  return `${counts.join(" and ")}, where ${held.places} are meant to be`;
}

type How = { readonly keeping: Keeping; readonly fence: Fence };

async function releaseIn(site: Site, hold: Hold, how: How, signal: AbortSignal): Promise<void> {
  const leave = await leaveOf(site, how, signal);
  const pin = hold.entryRecord === undefined ? undefined : await leftoverEntryAt(site, signal);
  if (pin !== undefined && pin.record !== hold.entryRecord) throw writtenMeanwhile(site);
  if (pin !== undefined) await handOverEntry(site, leave, signal);
  const left = hold.record === undefined ? undefined : await putBack(site, hold.record, how, signal);
  const { dark } = await leftoverAt(site, signal);
  // A place that is emptied before its controller has read the template would be filled from the one before.
  if (left !== undefined) await observed(site, signal);
  const stuck = left?.held?.stuck(how.keeping) ?? [];
  await Promise.all([
    removePods(site, shown(dark, hold.dark), signal),
    deletePods(site, shown(stuck, hold.stuck), signal),
  ]);
  if (pin !== undefined) await leaveEntry(site, leave, signal);
  await giveBackIn(site, undefined, signal);
}

async function leaveOf(site: Site, { keeping, fence }: How, signal: AbortSignal): Promise<Leave> {
  const { held } = await leftoverAt(site, signal);
  const [staying, going] = keeping === "new" ? (["after", "before"] as const) : (["before", "after"] as const);
  return { staying: held?.pods(staying) ?? [], going: held?.pods(going) ?? [], fence };
}

/** Nothing goes that whoever said yes did not see. */
const shown = (pods: readonly SeenPod[], names: readonly string[]): readonly SeenPod[] =>
  pods.filter(({ pod }) => names.includes(pod.metadata.name));

/** Waits until its controller has read what was put back. One that has not would copy the record to its ReplicaSets once more. */
async function observed(site: Site, signal: AbortSignal): Promise<void> {
  if (isReplacing(site.options.config.object.kind)) {
    await settleSet((sight) => unreadOrder(site, sight), { site, signal });
    return;
  }
  const { deployment } = await until(site, unobserved, signal);
  await cleanHistory(site, deployment, signal);
}

/**
 * Resolves with what was there before. Unlike a run, this takes no offence at fields that somebody changed meanwhile: they were shown, and who
 * asked said yes.
 */
async function putBack(
  site: Site,
  record: string,
  { keeping, fence }: How,
  signal: AbortSignal,
): Promise<Leftover | undefined> {
  const { read, written } = await writeFenced(site, fence, {
    read: () => leftoverAt(site, signal),
    bodyFor: (left) => {
      if (left.held === undefined) return Promise.resolve(undefined);
      if (left.metadata.annotations?.[HELD] !== record) throw writtenMeanwhile(site);
      return Promise.resolve(left.held.patch(fence, keeping));
    },
    write: (ask) => site.api.send<object>(ask, signal),
  });
  return written === undefined ? undefined : read;
}

const writtenMeanwhile = (site: Site): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `${objectText(site)} in ${site.api.context} was written by a run since it was looked at: that run lives`,
    { hint: "find out who acts there (`midflight status`), end it, then try again" },
  );
