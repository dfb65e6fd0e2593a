import type { Shape } from "../../graph/observation.ts";
import type { Fence } from "../../ports/fence.ts";
import { endInstance } from "./end-group.ts";
import { isSame } from "./identity.ts";
import type { InstanceRecord } from "./registry.ts";
import type { Seen, Site } from "./site.ts";

const LOOK_EVERY_MS = 50;

export type Leave = {
  readonly site: Site;
  readonly drain: Shape["drain"];
  readonly fence: Fence;
  readonly signal: AbortSignal;
};

/**
 * Takes an instance out of traffic, lets it say goodbye and finish, and ends it. What was done already is not done again, and what an abort
 * leaves undone is done by the next call.
 */
export async function retire(seen: Seen, how: Leave): Promise<void> {
  const { site, fence, signal } = how;
  if (seen.backend !== undefined && seen.backend.weight > 0)
    await site.balancer.put({ ...seen.backend, weight: 0 }, fence, signal);
  let { record } = seen;
  if (seen.isAlive && record.stage !== "stopping") {
    record = await moveTo(site, record, "draining", fence);
    await drained(record, how);
  }
  signal.throwIfAborted();
  if (seen.backend !== undefined) await site.balancer.remove(record.id, fence, signal);
  await stop(record, how);
}

/** Ends a process that takes no traffic, and forgets it. */
export async function stop(
  record: InstanceRecord,
  { site, fence, signal }: Pick<Leave, "site" | "fence" | "signal">,
): Promise<void> {
  const { registry, options } = site;
  const stopping = await moveTo(site, record, "stopping", fence);
  await site.claims.check(fence);
  await endInstance(stopping, {
    registryDir: registry.dir,
    graceMs: options.config.stopDeadlineMs,
    clock: options.clock,
    signal,
  });
  await registry.remove(stopping, () => site.claims.check(fence));
}

async function moveTo(
  site: Site,
  record: InstanceRecord,
  stage: InstanceRecord["stage"],
  fence: Fence,
): Promise<InstanceRecord> {
  const moved = { ...record, stage };
  if (record.stage !== stage) await site.registry.put(moved, () => site.claims.check(fence));
  return moved;
}

/** Resolves when nothing is in flight and no socket is open, when it died, or when its time is over. */
async function drained(record: InstanceRecord, { site, drain, signal }: Leave): Promise<void> {
  const { clock } = site.options;
  const until = clock.monotonic() + drain.noticeMs + drain.deadlineMs;
  let isTold = false;
  while (clock.monotonic() < until) {
    isTold ||= await site.operator.drain(record, drain.noticeMs, signal);
    if (isTold && (await isQuiet(site, record, signal))) return;
    if (record.process === undefined || !(await isSame(record.process, site.registry.dir, record.id))) return;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** The balancer is asked last: once it has nothing under way there, nothing can arrive any more. */
async function isQuiet(site: Site, record: InstanceRecord, signal: AbortSignal): Promise<boolean> {
  if ((await site.operator.isDrained(record, signal)) === false) return false;
  const backend = (await site.balancer.backends(signal)).find(({ id }) => id === record.id);
  return backend === undefined || (backend.inflight === 0 && backend.sockets === 0);
}
