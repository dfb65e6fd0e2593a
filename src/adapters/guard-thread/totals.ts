import type { Count, CountBin, Source } from "../../guard/count.ts";
import { protocolOf, shardOf } from "../../guard/protocol.ts";
import type { StreamReading, VerdictState } from "../../guard/verdict.ts";
import { withUnlisted, type UnlistedCode } from "../../guard/unlisted.ts";
import type { Operation } from "../../plan/model.ts";
import type { WatchPulse } from "../../ports/watcher.ts";

/** Sums since the start, for live views and reports. What probes did to the counters is taken off again: those are no users. */
export type Totals = {
  /** `heardAt`: bins of the past may come late. */
  add(bin: CountBin, heardAt?: number): void;
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

/** `uncounted`: regions in which what counts users does not count probes. */
export const startTotals = (hasLive: boolean, uncounted: readonly string[] = []): Totals => {
  const streams = new Map<string, StreamReading>();
  const live = failureCounts();
  const probes = failureCounts();
  let recent: readonly { readonly until: number; readonly perSec: number }[] = [];
  let probesPassed = 0;
  let isProtocolTold = false;
  let unlisted: readonly UnlistedCode[] = [];

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
    if (source !== "live") return;
    isProtocolTold ||= protocolOf(count.cohort) === "WebSocket";
    for (const [code, times] of Object.entries(count.codes ?? {}))
      live.add({ operation, region, release, cohort: count.cohort, code }, times);
  };

  /** Users' failures alone. Counters that don't tell the protocol count what probes lost over WebSocket with the rest. */
  const lost = (): readonly (Place & { readonly count: number })[] => {
    const ours = failureCounts();
    for (const { place, count } of probes.all())
      ours.add(isProtocolTold ? place : { ...place, cohort: shardOf(place.cohort) }, count);
    return live
      .all()
      .map(({ place, count }) => ({ ...place, count: Math.max(0, count - ours.of(place)) }))
      .filter(({ count }) => count > 0);
  };

  return {
    add(bin, heardAt = bin.at) {
      for (const count of bin.counts) addCount(count);
      const source = hasLive ? "live" : "probes";
      const issued = bin.counts
        .filter((count) => count.source === source)
        .reduce((sum, count) => sum + count.issued, 0);
      if (issued === 0) return;
      // A bin that is longer than that tells of its own time, until the next one comes.
      const overMs = Math.max(RATE_MS, bin.ms);
      const users = hasLive ? issued - probesPassed : issued;
      recent = [
        ...recent.filter(({ until }) => until > heardAt),
        { until: heardAt + overMs, perSec: users / (overMs / 1000) },
      ];
      if (hasLive) probesPassed = 0;
    },
    probed(operation, place, code) {
      if (uncounted.includes(place.region)) return;
      probesPassed++;
      if (code !== undefined) probes.add({ operation, ...place, code }, 1);
    },
    unlisted(seen, source, times) {
      unlisted = withUnlisted(unlisted, seen, source, times);
    },
    pulse(at, stateOf) {
      const failures = lost();
      const perSec = recent.filter(({ until }) => until > at).reduce((sum, entry) => sum + entry.perSec, 0);
      return {
        at,
        streams: [...streams.values()].map((reading) => ({ ...reading, state: stateOf(reading) })),
        operationsPerSec: Math.max(0, perSec),
        failed: failures.reduce((sum, { count }) => sum + count, 0),
        failures,
        ...(unlisted.length === 0 ? {} : { unlisted }),
      };
    },
  };
};

const failureCounts = () => {
  const counts = new Map<string, { readonly place: Place; count: number }>();
  const keyOf = ({ operation, region, release, cohort, code }: Place): string =>
    [operation, region, release, cohort, code].join(" ");
  return {
    add(place: Place, count: number): void {
      const known = counts.get(keyOf(place));
      if (known === undefined) counts.set(keyOf(place), { place, count });
      else known.count += count;
    },
    of: (place: Place): number => counts.get(keyOf(place))?.count ?? 0,
    all: () => [...counts.values()],
  };
};
