import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Instance, Shape, WorkloadState } from "../../graph/observation.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Workload } from "../../ports/workload.ts";
import type { ProcessOptions } from "./options.ts";
import type { InstanceRecord } from "./registry.ts";
import { retire, stop } from "./retire.ts";
import { look, siteOf, type Seen, type Sight, type Site } from "./site.ts";
import { starterFor, type Starter } from "./start.ts";
import { workFor, type Work } from "./work.ts";

/**
 * Instances as local processes. Each stands in a record on disk before it runs, has a process group of its own, outlives midflight, and is
 * recognised by whoever comes next.
 */
export const processWorkload = (options: ProcessOptions): Workload => ({
  async observe(region, signal) {
    return stateOf(region, await look(siteOf(options, region), signal));
  },
  async shape(region, shape, fence, signal) {
    const site = siteOf(options, region);
    signal.throwIfAborted();
    await site.claims.claim(fence);
    await converge(site, shape, fence, signal);
    return stateOf(region, await look(site, signal));
  },
});

const stateOf = (region: string, { seen, strangers }: Sight): WorkloadState => ({
  region,
  instances: [
    ...seen.map(({ record, isReady, backend }): Instance => ({
      id: record.id,
      release: record.release,
      digest: record.digest,
      ordinal: record.ordinal,
      ready: isReady,
      weightPct: backend?.weight ?? 0,
      address: addressOf(record),
    })),
    // Nothing tells what they run, so nothing is promised of them.
    ...strangers.map((backend, index): Instance => ({
      id: backend.id,
      release: backend.release,
      digest: "?",
      ordinal: index + 1,
      ready: false,
      weightPct: backend.weight,
      address: backend.address,
    })),
  ],
});

export const addressOf = ({ port }: Pick<InstanceRecord, "port">): string => `127.0.0.1:${port}`;

/** Looks, starts what is missing, then stops what is too much. */
async function converge(site: Site, shape: Shape, fence: Fence, signal: AbortSignal): Promise<void> {
  const sight = await look(site, signal);
  // Whoever is newer may have changed what we see: then it is not foreign, we are late.
  await site.claims.check(fence);
  refuseStrangers(site, shape, sight);
  const works = shape.releases.map((wanted) => workFor(wanted, sight.seen));
  const starter = await starterFor(
    site,
    sight.seen.map(({ record }) => record),
    () => site.claims.check(fence),
  );
  const errand: Errand = { site, starter, fence, signal };
  await all(
    works.flatMap((work) => [
      ...work.keep.map((seen) => keep(seen, errand)),
      ...work.ordinals.map((ordinal) => add(work, ordinal, errand)),
    ]),
  );
  signal.throwIfAborted();
  await all(
    works.flatMap((work) => work.retire.map((seen) => retire(seen, { site, drain: shape.drain, fence, signal }))),
  );
}

type Errand = { readonly site: Site; readonly starter: Starter; readonly fence: Fence; readonly signal: AbortSignal };

function refuseStrangers(site: Site, shape: Shape, { seen, strangers }: Sight): void {
  const named = new Set(shape.releases.map(({ digest }) => digest));
  const unknown = [
    ...seen.filter(({ record }) => !named.has(record.digest)).map(({ record }) => `${record.id} (${record.digest})`),
    ...strangers.map(({ id, address }) => `${id} at ${address}, which midflight did not start`),
  ];
  if (unknown.length === 0) return;
  throw new UpgradeError(
    "FOREIGN_CHANGE",
    `${site.options.component} in ${site.region} has instances that are not of this run: ${unknown.join(", ")}`,
    { hint: "take them away, or end the other change, then `midflight resume`" },
  );
}

async function add(
  { release, digest }: Work,
  ordinal: number,
  { site, starter, fence, signal }: Errand,
): Promise<void> {
  const id = idOf(site, release, digest, ordinal);
  await register(site, await starter.start({ id, release, digest, ordinal }, signal), undefined, { fence, signal });
}

/** An instance that shall be there: brought back if it left, started again if it died. */
async function keep(seen: Seen, errand: Errand): Promise<void> {
  const { site, starter, fence, signal } = errand;
  const { record, backend } = seen;
  const how = { fence, signal };
  if (!seen.isAlive || record.stage === "stopping") return restart(seen, errand);
  if (record.stage === "draining" && !(await site.operator.undrain(record, signal))) return restart(seen, errand);
  await register(
    site,
    await starter.await(
      record.stage === "draining" ? await recorded(site, { ...record, stage: "running" }, fence) : record,
      signal,
    ),
    backend,
    how,
  );
}

const recorded = async (site: Site, record: InstanceRecord, fence: Fence): Promise<InstanceRecord> => {
  await site.registry.put(record, () => site.claims.check(fence));
  return record;
};

/** Same place, same name, in the dark: whoever comes back has to be admitted again. */
async function restart({ record, isAlive, backend }: Seen, { site, starter, fence, signal }: Errand): Promise<void> {
  const out = backend === undefined || backend.weight === 0 ? backend : { ...backend, weight: 0 };
  if (out !== undefined && out !== backend) await site.balancer.put(out, fence, signal);
  if (isAlive) await stop(record, { site, fence, signal });
  const { id, release, digest, ordinal, port } = record;
  await register(site, await starter.start({ id, release, digest, ordinal, port }, signal), out, { fence, signal });
}

/** The balancer knows it by its present address; a new one takes nothing yet. */
async function register(
  site: Site,
  record: InstanceRecord,
  backend: Seen["backend"],
  { fence, signal }: { readonly fence: Fence; readonly signal: AbortSignal },
): Promise<void> {
  if (backend?.address === addressOf(record)) return;
  await site.balancer.put(
    { id: record.id, address: addressOf(record), release: record.release, weight: backend?.weight ?? 0 },
    fence,
    signal,
  );
}

/** `gateway-tokyo-2.0-1-3fa9c1` */
const idOf = ({ options, region }: Site, release: string, digest: string, ordinal: number): string =>
  `${options.component}-${region}-${release.slice(release.indexOf("@") + 1)}-${ordinal}-${digest.replace(/^sha256:/, "").slice(0, 6)}`;

/** Every one is brought to its end; then the first failure counts, and says how many there were. */
async function all(tasks: readonly Promise<void>[]): Promise<void> {
  const failures = (await Promise.allSettled(tasks)).flatMap((result): readonly Error[] =>
    result.status === "rejected" ? [errorOf(result.reason)] : [],
  );
  const worst = failures.find((error) => error instanceof UpgradeError && error.code === "FENCED") ?? failures[0];
  if (worst === undefined) return;
  // An abort gives all of them one and the same reason.
  if (new Set(failures).size === 1 || !(worst instanceof UpgradeError)) throw worst;
  throw new UpgradeError(worst.code, `${worst.message}\n(and ${failures.length - 1} more of ${tasks.length} failed)`, {
    hint: worst.hint,
    cause: new AggregateError(failures),
  });
}

const errorOf = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));
