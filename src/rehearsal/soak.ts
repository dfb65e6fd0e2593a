import type { Clock } from "../ports/clock.ts";
import type { WatchConfig, WatchedInstance, Watcher } from "../ports/watcher.ts";
import type { SoakRecord, SoakStream } from "./rehearsal.ts";

/** How often the clock of the soak is read and kept, ms. */
const TICK_MS = 1_000;

/**
 * Lets demo carry the new release, and counts only while the guard says healthy. What was counted before stays: a soak can go on another day.
 * Rejects what the watcher rejects, or with the signal's reason.
 */
export async function soak(
  record: SoakRecord,
  order: {
    readonly watcher: Watcher;
    readonly config: WatchConfig;
    readonly instances: readonly WatchedInstance[];
    readonly clock: Clock;
    readonly onProgress: (record: SoakRecord) => Promise<void>;
  },
  signal: AbortSignal,
): Promise<SoakRecord> {
  const { watcher, clock } = order;
  let isHealthy = false;
  let counted: readonly SoakStream[] = [];
  await watcher.start(order.config, {
    verdict: ({ state }) => {
      isHealthy = state === "healthy";
    },
    pulse: ({ streams }) => {
      counted = streams.map(({ operation, region, release, issued, failed }) => ({
        operation,
        region,
        release,
        issued,
        failed,
      }));
    },
  });
  try {
    watcher.instances(order.instances);
    watcher.mark({ id: "mark:soak", cause: { kind: "start" } });
    let soaked = record;
    for (let last = clock.now(); soaked.healthyMs < soaked.askedMs;) {
      // Healthy at both ends of a tick: what changed in between is not counted.
      const wasHealthy = isHealthy;
      await clock.sleep(Math.min(TICK_MS, soaked.askedMs - soaked.healthyMs), signal);
      const now = clock.now();
      if (wasHealthy && isHealthy) soaked = addSegment(soaked, last, now);
      last = now;
      await order.onProgress(soaked);
    }
    return { ...soaked, streams: addStreams(record.streams, counted) };
  } finally {
    await watcher.stop();
  }
}

/** Time that follows on at once makes the last segment longer. */
export function addSegment(record: SoakRecord, from: number, to: number): SoakRecord {
  const last = record.segments.at(-1);
  const segments: SoakRecord["segments"] =
    last !== undefined && from - last[1] < TICK_MS
      ? [...record.segments.slice(0, -1), [last[0], to]]
      : [...record.segments, [from, to]];
  return { ...record, healthyMs: record.healthyMs + (to - from), segments };
}

/** Of all days on which the soak went on. */
export function addStreams(before: readonly SoakStream[], more: readonly SoakStream[]): readonly SoakStream[] {
  const sums = new Map<string, SoakStream>();
  for (const stream of [...before, ...more]) {
    const key = `${stream.operation} ${stream.region} ${stream.release}`;
    const known = sums.get(key);
    sums.set(key, {
      ...stream,
      issued: (known?.issued ?? 0) + stream.issued,
      failed: (known?.failed ?? 0) + stream.failed,
    });
  }
  return [...sums.values()];
}
