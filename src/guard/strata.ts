import type { Operation } from "../plan/model.ts";
import { issuedFrom, type Count, type CountBin } from "./count.ts";
import { isProvedHealthy, logHealth, type HealthNeed, type Sample } from "./health.ts";
import type { Instance } from "./loss.ts";

/** A place where users would notice: each must show health by itself. */
export type Stratum = { readonly operation: Operation; readonly region: string };

export const nameOf = ({ operation, region }: Stratum): string => `${operation} in ${region}`;

/** Evidence of health since it was last asked to start again, by stratum, and by stratum on new instances. */
export type Evidence = {
  readonly since: number;
  readonly samples: Readonly<Record<string, Sample & { readonly probed: number }>>;
};

export const freshEvidence = (since: number): Evidence => ({ since, samples: {} });

/** What brings a disturbed or unknown guard back to `healthy`. */
export const RECOVERY: HealthNeed = { excludePct: 10, confidencePct: 99 };

/** Adds a bin whose operations were all issued later. `floorPct` set: a stratum whose evidence fell below nothing starts again. */
export const foldEvidence = (
  evidence: Evidence,
  bin: CountBin,
  floorPct: { readonly baselinePct: number } | undefined,
): Evidence => {
  if (issuedFrom(bin) < evidence.since) return evidence;
  // A bin has many counts of few strata: they are summed before anything is copied.
  const sums = new Map<string, { issued: number; failed: number; probed: number }>();
  for (const count of bin.counts) {
    const probed = count.source === "probes" ? count.issued : 0;
    for (const key of keysOf(count)) {
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { issued: count.issued, failed: count.failed, probed });
      else {
        sum.issued += count.issued;
        sum.failed += count.failed;
        sum.probed += probed;
      }
    }
  }
  const samples = { ...evidence.samples };
  for (const [key, { issued, failed, probed }] of sums) {
    const known = samples[key] ?? NONE;
    samples[key] = { issued: known.issued + issued, failed: known.failed + failed, probed: known.probed + probed };
  }
  return { ...evidence, samples: floorPct === undefined ? samples : restarted(samples, floorPct.baselinePct) };
};

/** What is still missing until `need` is met; undefined when nothing is. `probed`: regions in which live outcomes alone are not enough. */
export const missingEvidence = (
  evidence: Evidence,
  strata: readonly Stratum[],
  instances: readonly Instance[],
  how: { readonly need: HealthNeed; readonly baselinePct: number; readonly probed: readonly string[] },
): string | undefined => {
  const fresh = new Set(
    instances.filter(({ side, inTraffic }) => side === "new" && inTraffic).map(({ region }) => region),
  );
  for (const stratum of strata) {
    const sample = evidence.samples[nameOf(stratum)] ?? NONE;
    if (
      !isProvedHealthy(sample, how.need, how.baselinePct) ||
      (how.probed.includes(stratum.region) && sample.probed === 0)
    )
      return `${nameOf(stratum)} (${told(sample)})`;
    const newer = evidence.samples[onNew(stratum)] ?? NONE;
    if (fresh.has(stratum.region) && !isProvedHealthy(newer, how.need, how.baselinePct))
      return `${nameOf(stratum)} on new instances (${told(newer)})`;
  }
  return strata.length === 0 ? "no stratum to watch" : undefined;
};

const NONE = { issued: 0, failed: 0, probed: 0 };
const told = ({ issued, failed }: Sample): string => `${failed} of ${issued} failed since`;
const onNew = (stratum: Stratum): string => `${nameOf(stratum)} on new`;

// An instance that users do not reach says nothing about them.
const keysOf = (count: Count): readonly string[] => {
  if (count.isExposed === false && count.failed === 0) return [];
  return count.side === "new" ? [nameOf(count), onNew(count)] : [nameOf(count)];
};

const restarted = (samples: Evidence["samples"], baselinePct: number): Evidence["samples"] =>
  Object.fromEntries(
    Object.entries(samples).map(([key, sample]) => [
      key,
      // Stryker disable next-line EqualityOperator: exactly 0 is what nothing has
      logHealth(sample, RECOVERY.excludePct, baselinePct) < 0 ? NONE : sample,
    ]),
  );
