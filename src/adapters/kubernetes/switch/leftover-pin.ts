import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Fence } from "../../../ports/fence.ts";
import { unlessAbsent } from "../api/api-failure.ts";
import { until, type Missing } from "../api/until.ts";
import { differencesOf } from "../hold.ts";
import type { SeenPod, Sight } from "../sight.ts";
import type { Site } from "../site.ts";
import { pinnedIn, pinPatch, PINNED, type Pinned } from "./pinned.ts";
import { readService } from "./selector.ts";
import { switchedBy } from "./service-of.ts";
import { hashIn } from "./sides.ts";

/** A Service that a run left with a selector that names one release. */
export type LeftoverPin = {
  readonly pinned: Pinned;
  /** The record, as it stands there. */
  readonly record: string;
  /** What would be put back, a line a label. */
  readonly changes: readonly string[];
};

/** Undefined where no selector is written to, or none was left. */
export async function leftoverPinAt(site: Site, signal: AbortSignal): Promise<LeftoverPin | undefined> {
  if (switchedBy(site.options.config).switched === undefined) return undefined;
  // Whoever frees what another one left need not have a Service any more.
  const service = await unlessAbsent(readService(site, signal));
  const pinned = service === undefined ? undefined : pinnedIn(service);
  const record = service?.metadata.annotations?.[PINNED];
  if (service === undefined || pinned === undefined || record === undefined) return undefined;
  const changes = differencesOf({ selector: service.spec?.selector ?? {} }, { selector: pinned.was });
  return { pinned, record, changes: changes.map((line) => `service ${service.metadata.name}: ${line}`) };
}

/** Who stays and who goes, and whose order it is. */
export type Leave = { readonly staying: readonly SeenPod[]; readonly going: readonly SeenPod[]; readonly fence: Fence };

/**
 * Users go to the release that stays before the other one is told to leave. Where nobody of it answers they stay where they are.
 */
export async function handOver(
  site: Site,
  left: LeftoverPin,
  { staying, fence }: Leave,
  signal: AbortSignal,
): Promise<void> {
  const ready = staying.find(({ isReady }) => isReady);
  const hash = ready === undefined ? undefined : hashIn(ready);
  if (hash === undefined || hash === left.pinned.chosen) return;
  await write(site, left.record, { ...left.pinned, chosen: hash, fence }, signal);
  await until(site, (sight) => unlisted(sight, hash), signal);
}

/** Whom the Service shall name is in it before anybody else is told to leave. */
function unlisted({ pods }: Sight, hash: string): Missing | undefined {
  const late = pods.filter((seen) => hashIn(seen) === hash && seen.isReady && seen.weightPct === 0);
  return late.length === 0
    ? undefined
    : { text: `${late.length} pods are ready and not yet in the Service`, pods: late.map(({ pod }) => pod) };
}

/** Once those that go have left: the selector as it was. Where nobody stays who answers, nothing is waited for. */
export async function unpinAfter(site: Site, { staying, going }: Leave, signal: AbortSignal): Promise<void> {
  if (staying.some(({ isReady }) => isReady) && going.length > 0) {
    const names = new Set(going.map((seen) => hashIn(seen)));
    await until(
      site,
      ({ pods }) => {
        const there = pods.filter((seen) => names.has(hashIn(seen))).map(({ pod }) => pod);
        return there.length === 0 ? undefined : { text: `${there.length} pods have not left`, pods: [] };
      },
      signal,
    );
  }
  const left = await leftoverPinAt(site, signal);
  if (left !== undefined) await write(site, left.record, undefined, signal);
}

/** Unlike a run, this takes no offence at a selector that somebody changed meanwhile: it was shown, and who asked said yes. */
async function write(site: Site, record: string, pinned: Pinned | undefined, signal: AbortSignal): Promise<void> {
  const service = await readService(site, signal);
  const found = pinnedIn(service);
  if (found === undefined) return;
  if (service.metadata.annotations?.[PINNED] !== record) throw writtenMeanwhile(site);
  const body = pinPatch(service, pinned, found.was);
  const { name } = service.metadata;
  await site.api.send(
    { verb: "patch", resource: "services", name, query: { fieldManager: "midflight" }, body },
    signal,
  );
}

const writtenMeanwhile = ({ api, options }: Site): UpgradeError =>
  new UpgradeError(
    "FOREIGN_CHANGE",
    `service ${options.config.service} in ${api.context} was written by a run since it was looked at: that run lives`,
    { hint: "find out who acts there (`midflight status`), end it, then try again" },
  );
