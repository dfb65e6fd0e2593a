import type { Count, CountBin, Source } from "../../guard/count.ts";
import type { StreamReading, VerdictState } from "../../guard/verdict.ts";
import { withUnlisted, type UnlistedCode } from "../../guard/unlisted.ts";
import type { Operation } from "../../plan/model.ts";
import type { WatchPulse } from "../../ports/watcher.ts";

/** Sums since the start, for live views and reports. What probes did to the counters is taken off again: those are no users. */
export type Totals = {
  add(bin: CountBin): void;
  /** A probe operation that passed the counters of an instance; `code` of a failed one. */
  probed(
    operation: Operation,
    place: { readonly region: string; readonly release: string; readonly cohort: string },
    code: string | undefined,
  ): void;
  /** A code that no rule names. */
  unlisted(seen: Pick<UnlistedCode, "rules" | "code" | "outcome">, source: Source, times: number): void;
  pulse(at: number, stateOf: (reading: StreamReading) => VerdictState): WatchPulse;
};

type Place = {
  readonly operation: Operation;
  readonly region: string;
  readonly release: string;
  readonly cohort: string;
  readonly code: string;
};

/** Over how long operations per second are averaged. */
const RATE_MS = 2_000;

export const startTotals = (hasCounters: boolean): Totals => {
  const streams = new Map<string, StreamReading>();
  const failures = new Map<string, { place: Place; live: number; probes: number }>();
  let recent: { at: number; users: number }[] = [];
  let probesPassed = 0;
  let unlisted: readonly UnlistedCode[] = [];

  const failed = (place: Place, source: "live" | "probes", count: number): void => {
    const key = [place.operation, place.region, place.release, place.cohort, place.code].join(" ");
    const known = failures.get(key) ?? { place, live: 0, probes: 0 };
    known[source] += count;
    failures.set(key, known);
  };

  const addCount = (count: Count): void => {
    const { operation, region, release, source, issued } = count;
    const key = [source, operation, region, release].join(" ");
    const known = streams.get(key);
    streams.set(key, {
      operation,
      region,
      release,
      source,
      issued: (known?.issued ?? 0) + issued,
      failed: (known?.failed ?? 0) + count.failed,
      state: "healthy",
    });
    if (source === "live")
      for (const [code, times] of Object.entries(count.codes ?? {}))
        failed({ operation, region, release, cohort: count.cohort, code }, "live", times);
  };

  return {
    add(bin) {
      for (const count of bin.counts) addCount(count);
      const source = hasCounters ? "live" : "probes";
      const issued = bin.counts
        .filter((count) => count.source === source)
        .reduce((sum, count) => sum + count.issued, 0);
      if (issued === 0) return;
      recent = [
        ...recent.filter(({ at }) => at > bin.at - RATE_MS),
        { at: bin.at, users: hasCounters ? issued - probesPassed : issued },
      ];
      if (hasCounters) probesPassed = 0;
    },
    probed(operation, place, code) {
      probesPassed++;
      if (code !== undefined) failed({ operation, ...place, code }, "probes", 1);
    },
    unlisted(seen, source, times) {
      unlisted = withUnlisted(unlisted, seen, source, times);
    },
    pulse(at, stateOf) {
      const lost = [...failures.values()]
        .map(({ place, live, probes }) => ({ ...place, count: Math.max(0, live - probes) }))
        .filter(({ count }) => count > 0);
      const users = recent.filter((entry) => entry.at > at - RATE_MS).reduce((sum, entry) => sum + entry.users, 0);
      return {
        at,
        streams: [...streams.values()].map((reading) => ({ ...reading, state: stateOf(reading) })),
        operationsPerSec: Math.max(0, users / (RATE_MS / 1000)),
        failed: lost.reduce((sum, { count }) => sum + count, 0),
        failures: lost,
        ...(unlisted.length === 0 ? {} : { unlisted }),
      };
    },
  };
};
