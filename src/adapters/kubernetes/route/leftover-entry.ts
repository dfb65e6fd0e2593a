import { unlessAbsent } from "../api/api-failure.ts";
import type { Fence } from "../../../ports/fence.ts";
import type { Site } from "../site.ts";
import { look } from "../site.ts";
import { handOver, leftoverPinAt, unpinAfter, type Leave } from "../switch/leftover-pin.ts";
import { routedBy } from "../switch/service-of.ts";
import { hashIn } from "../switch/sides.ts";
import type { Errand } from "../under-fence.ts";
import { besideOf } from "./entries.ts";
import { backendsOf } from "./http-route.ts";
import { weighedIn, weightChanges, WEIGHED } from "./weighed.ts";
import { giveAll } from "./workload-routed.ts";
import { readRoute, writeRoute } from "./write-route.ts";

/** What a run left of that by which users come in: Services that name one release, and a route with weights of ours. */
export type LeftoverEntry = {
  /** All records, as they stand there. */
  readonly record: string;
  /** What would be put back, a line each. */
  readonly changes: readonly string[];
};

/** Undefined where nothing was left. */
export async function leftoverEntryAt(site: Site, signal: AbortSignal): Promise<LeftoverEntry | undefined> {
  if (!isRouted(site)) return leftoverPinAt(site, signal);
  const [route, own, beside] = await Promise.all([
    leftoverRouteAt(site, signal),
    leftoverPinAt(site, signal),
    leftoverPinAt(besideOf(site), signal),
  ]);
  const left = [route, own, beside].filter((one) => one !== undefined);
  if (left.length === 0) return undefined;
  return {
    record: JSON.stringify([route, own, beside].map((one) => one?.record ?? "")),
    changes: left.flatMap(({ changes }) => changes),
  };
}

const isRouted = ({ options: { config } }: Site): boolean => routedBy(config).routed !== undefined;

async function leftoverRouteAt(site: Site, signal: AbortSignal): Promise<LeftoverEntry | undefined> {
  // Whoever frees what another one left need not have a route any more.
  const route = await unlessAbsent(readRoute(site, signal));
  const weighed = route === undefined ? undefined : weighedIn(route);
  const record = route?.metadata.annotations?.[WEIGHED];
  if (route === undefined || weighed === undefined || record === undefined) return undefined;
  const changes = weightChanges(backendsOf(route), weighed.was);
  return { record, changes: changes.map((line) => `httproute ${route.metadata.name}: ${line}`) };
}

/** Users go to the release that stays before the other one is told to leave. Where nobody of it answers they stay where they are. */
export async function handOverEntry(site: Site, leave: Leave, signal: AbortSignal): Promise<void> {
  const pin = await leftoverPinAt(site, signal);
  if (pin !== undefined) await handOver(site, pin, leave, signal);
  if (!isRouted(site) || (await leftoverRouteAt(site, signal)) === undefined) return;
  const ready = leave.staying.find(({ isReady }) => isReady);
  const hash = ready === undefined ? undefined : hashIn(ready);
  if (hash !== undefined && pin !== undefined)
    await giveAll(hash, await look(site, signal), errandOf(site, leave.fence, signal), {
      isMoved: true,
      isShown: true,
    });
}

/** Once those that go have left: all of it as it was. */
export async function leaveEntry(site: Site, leave: Leave, signal: AbortSignal): Promise<void> {
  if (isRouted(site)) await unpinAfter(besideOf(site), leave, signal);
  await unpinAfter(site, leave, signal);
  if (!isRouted(site) || (await leftoverRouteAt(site, signal)) === undefined) return;
  const free = errandOf(site, leave.fence, signal);
  await writeRoute(free, (_, known) => (known === undefined ? undefined : "free"), true);
}

/** Whoever frees has written the fence already. */
const errandOf = (site: Site, fence: Fence, signal: AbortSignal): Errand => ({
  site,
  fence,
  signal,
  stamp: { isWritten: true },
});
