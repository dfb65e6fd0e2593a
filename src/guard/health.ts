/** Outcomes of one stratum since evidence of health was last asked to start again. */
export type Sample = { readonly issued: number; readonly failed: number };

/** What shall be excluded: failure rates of `excludePct` and more, with this confidence. */
export type HealthNeed = { readonly excludePct: number; readonly confidencePct: number };

/** ln of the evidence against a failure rate of `excludePct` and more. Kept as a logarithm: products of thousands of factors overflow. */
export const logHealth = (sample: Sample, excludePct: number, baselinePct: number): number => {
  const [good, bad] = ratesOf(excludePct, baselinePct);
  const clean = Math.log1p(-good) - Math.log1p(-bad);
  return (sample.issued - sample.failed) * clean + sample.failed * Math.log(good / bad);
};

/** Whether the sample is enough. An empty one never is. */
export const isProvedHealthy = (sample: Sample, need: HealthNeed, baselinePct: number): boolean =>
  sample.issued > 0 && logHealth(sample, need.excludePct, baselinePct) >= levelOf(need.confidencePct);

/** How many outcomes without a failure exclude a rate of `excludePct` with `confidencePct`. */
export const cleanOutcomesNeeded = (excludePct: number, confidencePct: number, baselinePct: number): number =>
  Math.ceil(levelOf(confidencePct) / logHealth({ issued: 1, failed: 0 }, excludePct, baselinePct));

/** ln(1/β). A confidence of 100 % can never be reached by samples. */
const levelOf = (confidencePct: number): number => -Math.log1p(-confidencePct / 100);

// A rate at or below the baseline cannot be excluded: health itself fails as often.
const ratesOf = (excludePct: number, baselinePct: number): readonly [good: number, bad: number] => {
  const good = Math.max(baselinePct / 100, 1e-6);
  return [good, Math.max(excludePct / 100, good * 1.01)];
};
