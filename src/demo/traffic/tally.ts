import { createHistogram } from "./histogram.ts";
import type { Outcome, OutcomeClass } from "./outcome.ts";
import { isFailure } from "./outcome.ts";

/** Counts of operations. `failed` includes the ambiguous ones, which are counted apart as well; planted ones are in none of them. */
export type Counts = {
  readonly ops: number;
  readonly failed: number;
  readonly planted: number;
  readonly ambiguous: number;
  readonly rejected: number;
};

export type Latency = { readonly p50: number; readonly p99: number; readonly max: number };

/** Counts of one kind of traffic: which operation, where, on which release, how. */
export type StreamCounts = Counts & {
  readonly op: string;
  readonly region: string;
  readonly release: string;
  readonly protocol: string;
};

/** Adds up outcomes; `take` starts anew. */
export type Tally = {
  add(outcome: Outcome): void;
  counts(): Counts;
  latency(): Latency;
  by(key: (outcome: Outcome) => string): Readonly<Record<string, Counts>>;
  streams(): readonly StreamCounts[];
  clear(): void;
};

/** Keeps its counts per stream and cohort, never the outcomes themselves. */
export const createTally = (): Tally => {
  const cells = new Map<string, { readonly sample: Outcome; counts: Counts }>();
  const latency = createHistogram();
  const grouped = (key: (outcome: Outcome) => string): Map<string, { sample: Outcome; counts: Counts }> => {
    const groups = new Map<string, { sample: Outcome; counts: Counts }>();
    for (const { sample, counts } of cells.values()) {
      const name = key(sample);
      groups.set(name, { sample, counts: plus(groups.get(name)?.counts ?? NOTHING, counts) });
    }
    return groups;
  };
  return {
    add(outcome) {
      const key = `${outcome.op}|${outcome.region}|${outcome.release}|${outcome.protocol}|${outcome.cohort}`;
      const cell = cells.get(key);
      const one = countsOf(outcome.class);
      if (cell === undefined) cells.set(key, { sample: outcome, counts: one });
      else cell.counts = plus(cell.counts, one);
      // A user's own blunder says nothing about how fast the venue is.
      if (outcome.class !== "planted") latency.add(outcome.ms);
    },
    counts: () => [...cells.values()].reduce((sum, cell) => plus(sum, cell.counts), NOTHING),
    latency: () => ({ p50: latency.quantile(0.5), p99: latency.quantile(0.99), max: latency.max() }),
    by: (key) => {
      const groups = grouped(key);
      return Object.fromEntries(
        [...groups.keys()]
          .toSorted((a, b) => (a < b ? -1 : 1))
          .map((name) => [name, groups.get(name)?.counts ?? NOTHING]),
      );
    },
    streams: () =>
      [...grouped(({ op, region, release, protocol }) => `${op}|${region}|${release}|${protocol}`).values()].map(
        ({ sample, counts }) => ({
          op: sample.op,
          region: sample.region,
          release: sample.release,
          protocol: sample.protocol,
          ...counts,
        }),
      ),
    clear() {
      cells.clear();
      latency.clear();
    },
  };
};

export const NOTHING: Counts = { ops: 0, failed: 0, planted: 0, ambiguous: 0, rejected: 0 };

const countsOf = (kind: OutcomeClass): Counts => ({
  ops: 1,
  failed: isFailure(kind) ? 1 : 0,
  planted: kind === "planted" ? 1 : 0,
  ambiguous: kind === "ambiguous" ? 1 : 0,
  rejected: kind === "rejected" ? 1 : 0,
});

const plus = (left: Counts, right: Counts): Counts => ({
  ops: left.ops + right.ops,
  failed: left.failed + right.failed,
  planted: left.planted + right.planted,
  ambiguous: left.ambiguous + right.ambiguous,
  rejected: left.rejected + right.rejected,
});
