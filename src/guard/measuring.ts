import { dispersionOf, type Measured } from "./detector/baseline.ts";

/** Failures among outcomes, counted second by second, so that one can see whether they come in bursts. */
export type Measuring = {
  readonly issued: number;
  readonly failed: number;
  /** Whole seconds, and the sum of the squares of what failed in each. */
  readonly seconds: number;
  readonly squares: number;
  readonly running: { readonly second: number; readonly failed: number };
};

export const NOTHING_MEASURED: Measuring = {
  issued: 0,
  failed: 0,
  seconds: 0,
  squares: 0,
  running: { second: 0, failed: 0 },
};

/** Adds what was counted in a bin that ended at `at`, ms. */
export const measure = (
  measuring: Measuring,
  { issued, failed }: { readonly issued: number; readonly failed: number },
  at: number,
): Measuring => {
  if (!(issued > 0)) return measuring;
  const second = Math.floor(at / 1000);
  const { running } = measuring;
  const sums = { issued: measuring.issued + issued, failed: measuring.failed + failed };
  if (second === running.second) return { ...measuring, ...sums, running: { second, failed: running.failed + failed } };
  const isFirst = running.second === 0;
  return {
    ...sums,
    seconds: measuring.seconds + (isFirst ? 0 : 1),
    squares: measuring.squares + running.failed ** 2,
    running: { second, failed },
  };
};

/** What was measured, with the dispersion of the seconds that are over. */
export const measuredBy = ({ issued, failed, seconds, squares, running }: Measuring): Measured => ({
  issued,
  failed,
  dispersion: dispersionOf({ seconds: seconds + 1, failed, squares: squares + running.failed ** 2 }),
});
