/** Counts durations in buckets that grow by 4 %, from 0.1 ms to beyond a minute: quantiles are right to 4 %. */
export type Histogram = {
  add(ms: number): void;
  /** The duration that `share` of the values do not exceed; 0 without values. */
  quantile(share: number): number;
  readonly count: () => number;
  readonly max: () => number;
  clear(): void;
};

export const createHistogram = (): Histogram => {
  const buckets = new Uint32Array(BUCKETS);
  let count = 0;
  let max = 0;
  return {
    add(ms) {
      const index = bucketOf(ms);
      buckets[index] = (buckets[index] ?? 0) + 1;
      count++;
      if (ms > max) max = ms;
    },
    quantile(share) {
      if (count === 0) return 0;
      let left = Math.ceil(share * count);
      for (let index = 0; index < BUCKETS; index++) {
        left -= buckets[index] ?? 0;
        if (left <= 0) return rounded(Math.min(max, FIRST_MS * GROWTH ** index));
      }
      return rounded(max);
    },
    count: () => count,
    max: () => rounded(max),
    clear() {
      buckets.fill(0);
      count = 0;
      max = 0;
    },
  };
};

const FIRST_MS = 0.1;
const GROWTH = 1.04;
const BUCKETS = 360;

const bucketOf = (ms: number): number =>
  ms <= FIRST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH)));

const rounded = (ms: number): number => Math.round(ms * 100) / 100;
