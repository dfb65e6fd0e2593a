/**
 * Shiryaev–Roberts statistics, one for each bet on how bad it is; the evidence is their mean.
 * While failures are no likelier than the baseline says, the mean of each grows by its mass (seconds) and no more, so that an alarm at
 * A seconds comes at most once in A seconds on average. Nothing has to be tuned for that, and streams of any rate share one alarm level.
 */
export type Mixture = readonly number[];

export const freshMixture = (bets: number): Mixture => Array.from({ length: bets }, () => 0);

export const evidenceIn = (mixture: Mixture): number => {
  let sum = 0;
  for (const part of mixture) sum += part;
  return mixture.length === 0 ? 0 : sum / mixture.length;
};

/** Adds seconds of suspicion to each part. */
export const inject = (mixture: Mixture, mass: number): Mixture => mixture.map((part) => bounded(part + mass));

/** Keeps a part that nobody reset after its alarm from growing to Infinity, and then to NaN. It only takes evidence away, far above any alarm. */
// Stryker disable next-line EqualityOperator: at the ceiling both are the ceiling
export const bounded = (part: number): number => (part < CEILING ? part : CEILING);
const CEILING = 1e100;
