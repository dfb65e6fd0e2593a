import type { Sample, SampledSeries } from "./prometheus-answer.ts";

/** What one series has counted between two samples of it. */
export type Difference = {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  /** Times of the two samples, by our own clock, ms. */
  readonly from: number;
  readonly to: number;
};

export type DifferencesOptions = {
  /** What is scraped together, and restarts together: the labels of one target. */
  readonly targetOf: (labels: Readonly<Record<string, string>>) => string;
  /** Samples further apart are a missing bin: nobody knows what happened between them. */
  readonly mostApartMs: number;
};

/** A sample, and its time by our own clock when it was first seen: the server's clock may jump later. */
type Seen = Sample & { readonly ownAt: number };
type Target = { scraped: Seen; readonly series: Map<string, Seen> };

const MOST_PER_TARGET = 40_000;

/**
 * Keeps the last sample of every series, and tells what was counted since. What is seen for the first time is where counting begins:
 * a new target as it stands, a new series of a known target from nothing, because failures of a kind are counted from the first one on.
 * A counter that went backwards was restarted with its target, so everything that the target said with that sample is missing.
 */
export const startDifferences = ({ targetOf, mostApartMs }: DifferencesOptions) => {
  let targets = new Map<string, Target>();
  return {
    /** `ownAt`: a time of the server's clock, by our own. */
    note(answer: readonly SampledSeries[], ownAt: (at: number) => number): readonly Difference[] {
      const groups = Map.groupBy(answer, ({ labels }) => targetOf(labels));
      const differences: (readonly Difference[])[] = [];
      const next = new Map<string, Target>();
      for (const [name, members] of groups) {
        const known = targets.get(name);
        if (known === undefined || known.series.size > MOST_PER_TARGET) next.set(name, begin(members, ownAt));
        else {
          differences.push(advance(known, members, ownAt, mostApartMs));
          next.set(name, known);
        }
      }
      // A target without samples in the whole range is gone; if it comes back, it begins anew.
      targets = next;
      return differences.flat();
    },
  };
};

const begin = (members: readonly SampledSeries[], ownAt: (at: number) => number): Target => {
  const series = new Map(members.map(({ key, samples }) => [key, seen(lastOf(samples), ownAt)] as const));
  const scraped = [...series.values()].reduce((newest, sample) => (sample.at > newest.at ? sample : newest));
  return { scraped, series };
};

const advance = (
  target: Target,
  members: readonly SampledSeries[],
  ownAt: (at: number) => number,
  mostApartMs: number,
): readonly Difference[] => {
  const found: (Difference & { readonly at: number })[] = [];
  const restarts = new Set<number>();
  let newest = target.scraped;
  for (const { key, labels, samples } of members) {
    let last = target.series.get(key) ?? beforeFirst(target, samples, ownAt);
    for (const sample of samples) {
      if (sample.at <= last.at) continue;
      const now = seen(sample, ownAt);
      if (now.value < last.value) restarts.add(now.at);
      else if (now.at - last.at <= mostApartMs)
        found.push({ labels, count: now.value - last.value, from: last.ownAt, to: now.ownAt, at: now.at });
      last = now;
    }
    target.series.set(key, last);
    if (last.at > newest.at) newest = last;
  }
  // Only now: who is new is measured by the scrape before.
  target.scraped = newest;
  forgetRestarted(target, Math.max(...restarts));
  return found.filter(({ at }) => !restarts.has(at)).map(({ at: _at, ...difference }) => difference);
};

/** Where a series begins to count that was not there before: at nothing when its target was last scraped, or at a sample from before that. */
const beforeFirst = (target: Target, samples: readonly Sample[], ownAt: (at: number) => number): Seen => {
  const earlier = samples.filter(({ at }) => at <= target.scraped.at);
  return earlier.length > 0 ? seen(lastOf(earlier), ownAt) : { ...target.scraped, value: 0 };
};

// A series that the restarted process has not named again counts from nothing when it does.
const forgetRestarted = (target: Target, restartedAt: number): void => {
  for (const [key, { at }] of target.series) if (at < restartedAt) target.series.delete(key);
};

const seen = (sample: Sample, ownAt: (at: number) => number): Seen => ({ ...sample, ownAt: ownAt(sample.at) });

const lastOf = (samples: readonly Sample[]): Sample => samples.at(-1) ?? { at: -Infinity, value: 0 };
