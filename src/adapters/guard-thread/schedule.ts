import type { ProbeSchedule } from "../../ports/watcher.ts";

/** How well probes keep to their schedule: what this thread is late says nothing about the venue. */
export type Schedule = {
  /** A slot was due `lateMs` ago; `isTaken`: it was used, otherwise it stays missed. */
  readonly note: (lateMs: number, isTaken: boolean) => void;
  /** Over the last 10 s. Missed slots count with the time by which they were missed. */
  readonly read: () => ProbeSchedule;
  /** Why what is measured now is this machine's own slowness; undefined while it is not. */
  trouble(): string | undefined;
};

/** Half of the slots of the last 2 s later than this: no outcome is believed. */
export const BEHIND_MS = 50;
const BEHIND_SEC = 2;
const KEPT_SEC = 10;
/** Probes ask with every outcome; the answer is looked up this often. */
const LOOK_MS = 100;

/** Buckets of 0.1 ms up to 20 ms, then of 1 ms up to a second. */
const FINE = 200;
const FINE_MS = 20;
const BUCKETS = FINE + 981;

type Second = { readonly at: number; readonly buckets: Uint32Array; missed: number };

export const watchSchedule = (now: () => number = () => performance.now()): Schedule => {
  let seconds: readonly Second[] = [];
  let told: { readonly at: number; readonly text: string | undefined } = { at: -Infinity, text: undefined };
  const current = (): Second => {
    const at = Math.floor(now() / 1_000);
    const last = seconds.at(-1);
    if (last?.at === at) return last;
    const fresh: Second = { at, buckets: new Uint32Array(BUCKETS), missed: 0 };
    seconds = [...seconds.filter((second) => second.at > at - KEPT_SEC), fresh];
    return fresh;
  };
  const latest = (sec: number): readonly Second[] => {
    const at = Math.floor(now() / 1_000);
    return seconds.filter((second) => second.at > at - sec);
  };
  return {
    note(lateMs, isTaken) {
      const second = current();
      const bucket = bucketOf(lateMs);
      second.buckets[bucket] = (second.buckets[bucket] ?? 0) + 1;
      if (!isTaken) second.missed += 1;
    },
    read() {
      const kept = latest(KEPT_SEC);
      const total = totalOf(kept);
      return {
        slots: total.slots,
        missed: kept.reduce((sum, { missed }) => sum + missed, 0),
        lagP50Ms: quantile(total, 0.5),
        lagP99Ms: quantile(total, 0.99),
      };
    },
    trouble() {
      if (now() - told.at >= LOOK_MS) told = { at: now(), text: troubleOf(quantile(totalOf(latest(BEHIND_SEC)), 0.5)) };
      return told.text;
    },
  };
};

const troubleOf = (medianMs: number): string | undefined =>
  medianMs <= BEHIND_MS
    ? undefined
    : `probes are ${Math.round(medianMs)} ms behind their schedule: this machine is too busy to tell`;

const bucketOf = (lateMs: number): number =>
  Math.min(BUCKETS - 1, Math.max(0, lateMs <= FINE_MS ? Math.ceil(lateMs * 10) : FINE + Math.ceil(lateMs - FINE_MS)));
/** Upper edge, so that a quantile is never told smaller than it was. */
const edgeOf = (bucket: number): number => (bucket <= FINE ? bucket / 10 : FINE_MS + bucket - FINE);

type Total = { readonly slots: number; readonly buckets: Uint32Array };

const totalOf = (seconds: readonly Second[]): Total => {
  const buckets = new Uint32Array(BUCKETS);
  let slots = 0;
  for (const second of seconds)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = second.buckets[bucket] ?? 0;
      buckets[bucket] = (buckets[bucket] ?? 0) + count;
      slots += count;
    }
  return { slots, buckets };
};

const quantile = ({ slots, buckets }: Total, share: number): number => {
  let left = Math.ceil(slots * share);
  if (left === 0) return 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    left -= buckets[bucket] ?? 0;
    if (left <= 0) return edgeOf(bucket);
  }
  return edgeOf(BUCKETS - 1);
};
