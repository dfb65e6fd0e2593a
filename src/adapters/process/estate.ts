import type { Fence } from "../../ports/fence.ts";
import { endInstance } from "./end-group.ts";
import type { ProcessOptions } from "./options.ts";
import { openRegistry, unfenced, type InstanceRecord } from "./registry.ts";
import { livesOf, siteOf, type Site } from "./site.ts";
import { starterFor } from "./start.ts";
import { processTraffic } from "./traffic.ts";
import { addressOf, processWorkload } from "./workload.ts";

/** The instances of a component as whoever owns the machines sees them: brought up, brought back after a power cut, taken down. */
export type ProcessEstate = {
  /** Starts `count` instances in each region and gives them full weight. */
  bringUp(
    regions: readonly string[],
    release: { readonly release: string; readonly digest: string; readonly count: number },
    signal?: AbortSignal,
  ): Promise<void>;
  /** Pids of what runs in a region, of one digest if it is given. */
  pids(region: string, digest?: string): Promise<readonly number[]>;
  /** Starts again what is recorded and dead, where it was, with the weight it has. */
  restore(region: string, signal?: AbortSignal): Promise<void>;
  /** Ends everything that is recorded, in every region, without goodbyes. */
  stop(): Promise<void>;
};

export const processEstate = (options: ProcessOptions): ProcessEstate => ({
  async bringUp(regions, release, signal = never()) {
    const workload = processWorkload(options);
    const traffic = processTraffic(options);
    await Promise.all(
      regions.map(async (region) => {
        const fence = await latestFence(siteOf(options, region), signal);
        await workload.shape(region, { releases: [release], drain: { noticeMs: 0, deadlineMs: 0 } }, fence, signal);
        await traffic.weigh(
          region,
          [{ digest: release.digest, admitted: release.count, weightPct: 100 }],
          fence,
          signal,
        );
      }),
    );
  },
  async pids(region, digest) {
    const site = siteOf(options, region);
    const lives = await livesOf(site, await site.registry.list(region), never());
    return lives.flatMap(({ isAlive, record }) =>
      isAlive && record.process !== undefined && (digest === undefined || record.digest === digest)
        ? [record.process.pid]
        : [],
    );
  },
  async restore(region, signal = never()) {
    const site = siteOf(options, region);
    const lives = await livesOf(site, await site.registry.list(region), signal);
    const starter = await starterFor(
      site,
      lives.map(({ record }) => record),
      unfenced,
    );
    await Promise.all(
      lives
        .filter(({ isAlive }) => !isAlive)
        .map(async ({ record }) => relocate(site, await starter.start(record, signal), signal)),
    );
  },
  async stop() {
    const registry = openRegistry(options.stateDir, options.component);
    const records = (await Promise.all((await registry.regions()).map((region) => registry.list(region)))).flat();
    const ends = await Promise.allSettled(
      records.map(async (record) => {
        await endInstance(record, {
          registryDir: registry.dir,
          graceMs: options.config.stopDeadlineMs,
          clock: options.clock,
          signal: never(),
        });
        await registry.remove(record, unfenced);
      }),
    );
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  },
});

const never = (): AbortSignal => new AbortController().signal;

/** Not above any run's: what the owner of the machines does fences nobody out. */
async function latestFence(site: Site, signal: AbortSignal): Promise<Fence> {
  const [ours, theirs] = await Promise.all([site.claims.highest(), site.balancer.fence(signal)]);
  return ours.epoch > theirs.epoch || (ours.epoch === theirs.epoch && ours.seq > theirs.seq) ? ours : theirs;
}

/** Its old port may have been taken meanwhile: then the balancer has to learn the new one. */
async function relocate(site: Site, record: InstanceRecord, signal: AbortSignal): Promise<void> {
  const backend = (await site.balancer.backends(signal)).find(({ id }) => id === record.id);
  if (backend === undefined || backend.address === addressOf(record)) return;
  await site.balancer.put({ ...backend, address: addressOf(record) }, await latestFence(site, signal), signal);
}
