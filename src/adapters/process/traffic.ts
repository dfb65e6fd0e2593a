import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Weighing } from "../../graph/observation.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Traffic } from "../../ports/traffic.ts";
import type { Backend } from "./balancer.ts";
import type { ProcessOptions } from "./options.ts";
import type { InstanceRecord } from "./registry.ts";
import { livesOf, siteOf, type Site } from "./site.ts";
import { weightFor } from "./work.ts";
import { addressOf } from "./workload.ts";

/** Weights at the balancers, for instances of the process driver. Also rejects `INSTANCE_NOT_READY`: nobody is sent to an instance that does not answer. */
export const processTraffic = (options: ProcessOptions): Traffic => ({
  async weigh(region, weighing, fence, signal) {
    const site = siteOf(options, region);
    await site.claims.check(fence);
    const [records, backends] = await Promise.all([site.registry.list(region), site.balancer.backends(signal)]);
    const changes = changesFor(records, backends, weighing);
    const sick = await raise(site, changes, fence, signal);
    // Taking away comes after giving, and never takes the last one that serves.
    const isAnyoneLeft =
      sick.length === 0 || changes.some(({ record, weightPct }) => weightPct > 0 && !sick.includes(record.id));
    if (isAnyoneLeft)
      await apply(
        site,
        changes.filter(({ was, weightPct }) => was !== undefined && weightPct < was),
        fence,
        signal,
      );
    await site.claims.claim(fence);
    if (sick.length > 0)
      throw new UpgradeError("INSTANCE_NOT_READY", `${sick.join(", ")} in ${region} may not take traffic: not ready`, {
        hint: "read the log of the instance",
      });
  },
});

/** `was` undefined: the balancer does not know it. */
type Change = { readonly record: InstanceRecord; readonly was: number | undefined; readonly weightPct: number };

/** What each instance shall take. Whoever was told to leave is not counted. */
function changesFor(
  records: readonly InstanceRecord[],
  backends: readonly Backend[],
  weighing: Weighing,
): readonly Change[] {
  const ranks = new Map<string, number>();
  return records.flatMap((record): readonly Change[] => {
    const isLeaving = record.stage === "draining" || record.stage === "stopping";
    const rank = (ranks.get(record.digest) ?? 0) + (isLeaving ? 0 : 1);
    ranks.set(record.digest, rank);
    const weightPct = isLeaving ? 0 : weightFor(weighing, record.digest, rank);
    return weightPct === undefined
      ? []
      : [{ record, was: backends.find(({ id }) => id === record.id)?.weight, weightPct }];
  });
}

/** Gives weight to those who may have it. Returns the ids of those who may not. */
async function raise(
  site: Site,
  changes: readonly Change[],
  fence: Fence,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const raised = changes.filter(({ was, weightPct }) => weightPct > (was ?? 0));
  const admitted = raised.filter(({ was }) => was === undefined || was === 0).map(({ record }) => record);
  const lives = admitted.length === 0 ? [] : await livesOf(site, admitted, signal);
  const sick = lives.filter(({ isReady }) => !isReady).map(({ record }) => record.id);
  await apply(
    site,
    raised.filter(({ record }) => !sick.includes(record.id)),
    fence,
    signal,
  );
  return sick;
}

async function apply(site: Site, changes: readonly Change[], fence: Fence, signal: AbortSignal): Promise<void> {
  const results = await Promise.allSettled(
    changes.map(({ record, weightPct }) =>
      site.balancer.put(
        { id: record.id, address: addressOf(record), release: record.release, weight: weightPct },
        fence,
        signal,
      ),
    ),
  );
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
