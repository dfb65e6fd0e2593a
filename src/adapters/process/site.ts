import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { balancerAt, type Backend, type Balancer } from "./balancer.ts";
import { fenceClaims, type FenceClaims } from "./fence-claims.ts";
import { isSame, markedProcesses } from "./identity.ts";
import { operatorOf, type Operator } from "./operator.ts";
import type { ProcessOptions } from "./options.ts";
import { openRegistry, type InstanceRecord, type Registry } from "./registry.ts";

/** One component in one region: its records, its balancer, its fence. */
export type Site = {
  readonly options: ProcessOptions;
  readonly region: string;
  readonly registry: Registry;
  readonly balancer: Balancer;
  readonly operator: Operator;
  readonly claims: FenceClaims;
};

export function siteOf(options: ProcessOptions, region: string): Site {
  const admin = options.config.balancer[region];
  if (admin === undefined) throw new Bug(`${options.component} has no balancer in ${region}`);
  const registry = openRegistry(options.stateDir, options.component);
  return {
    options,
    region,
    registry,
    balancer: balancerAt(admin, region),
    operator: operatorOf(options.config),
    claims: fenceClaims(registry.dir, options.component, region),
  };
}

/** A recorded instance as it is now. */
export type Seen = {
  /** With its process, also when only its mark told us of that. */
  readonly record: InstanceRecord;
  readonly isAlive: boolean;
  readonly isReady: boolean;
  readonly backend?: Backend;
};

/** Everything of a component in a region: what we recorded, and what the balancer serves without our knowing. */
export type Sight = { readonly seen: readonly Seen[]; readonly strangers: readonly Backend[] };

/** Looks at records, processes, ready checks and weights. Changes nothing. Rejects `WORKLOAD_UNREACHABLE`, `STATE_UNWRITABLE`. */
export async function look(site: Site, signal: AbortSignal): Promise<Sight> {
  const sight = await glance(site, signal);
  // What was recorded between our two looks is no stranger.
  return sight.strangers.length === 0 ? sight : glance(site, signal);
}

async function glance(site: Site, signal: AbortSignal): Promise<Sight> {
  const records = await site.registry.list(site.region);
  const [backends, lives] = await Promise.all([
    site.balancer
      .backends(signal)
      .catch((error: unknown) => Promise.reject(signal.aborted ? signal.reason : withoutWeights(site, records, error))),
    livesOf(site, records, signal),
  ]);
  const seen = lives.map((life): Seen => {
    const backend = backends.find(({ id }) => id === life.record.id);
    return backend === undefined ? life : { ...life, backend };
  });
  return { seen, strangers: backends.filter(({ id }) => !records.some((record) => record.id === id)) };
}

/** Processes and ready checks only. */
export async function livesOf(
  site: Site,
  records: readonly InstanceRecord[],
  signal: AbortSignal,
): Promise<readonly Omit<Seen, "backend">[]> {
  const known = records.some(({ process: spawned }) => spawned === undefined) ? await adopt(site, records) : records;
  return Promise.all(
    known.map(async (record) => {
      const isAlive = record.process !== undefined && (await isSame(record.process, site.registry.dir, record.id));
      return { record, isAlive, isReady: isAlive && (await site.operator.isReady(record, signal)) };
    }),
  );
}

/** Whoever started them died between the spawn and the record of it: their mark tells which processes they are. */
async function adopt(site: Site, records: readonly InstanceRecord[]): Promise<readonly InstanceRecord[]> {
  const marked = await markedProcesses(site.registry.dir);
  return records.map((record) => {
    if (record.process !== undefined) return record;
    const leader = marked.find((one) => one.id === record.id && one.port === record.port && one.isLeader);
    return leader === undefined ? record : { ...record, process: { pid: leader.pid, start: leader.start } };
  });
}

function withoutWeights(site: Site, records: readonly InstanceRecord[], cause: unknown): unknown {
  if (!(cause instanceof UpgradeError) || cause.code !== "BALANCER_UNREACHABLE") return cause;
  const known =
    records.length === 0
      ? "no instance is recorded there"
      : `recorded there: ${records.map(({ id }) => id).join(", ")}`;
  return new UpgradeError(
    "WORKLOAD_UNREACHABLE",
    `${cause.message}; without it nobody knows which instances of ${site.options.component} take traffic in ${site.region} (${known})`,
    { hint: cause.hint, cause },
  );
}
