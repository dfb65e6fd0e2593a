/**
 * Shiryaev–Roberts statistics: evidence that a stream fails more often than its baseline, with a false-alarm rate that is proved.
 * While the chance of a failure given the past stays at or below `p0`, the mean of a statistic grows by no more than its mass (seconds) a bin,
 * so an alarm at A comes at most once in A seconds on average.
 */

/** One component a bet. Weights are equal; the evidence is their mean. */
export type Mixture = readonly number[];

/** Bets on a bin, as multiples of 1/p0. */
const BETS = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9] as const;

export const freshMixture: Mixture = BETS.map(() => 0);

/** The evidence that a mixture holds. */
export const evidenceIn = (mixture: Mixture): number => mixture.reduce((sum, part) => sum + part, 0) / mixture.length;

export type Bin = {
  /** Failed / issued. */
  readonly share: number;
  /** Seconds that the bin covers, and mass injected for a step. */
  readonly mass: number;
  /** Upper bound of the failing share in health, 0–1. */
  readonly p0: number;
};

/** Folds a closed bin into the mixture. Holds for any dependence inside the bin. */
export const foldBin = (mixture: Mixture, { share, mass, p0 }: Bin): Mixture =>
  mixture.map((part, index) => (mass + part) * (1 + (bet(index) / p0) * (share - p0)));

/**
 * The bin after a failing one, which the same burst may have reached. Half the stake rests; the other half bets on the failures
 * that are more than a burst could have carried over. `excess` is that share, 0 for a plain rest of the other half.
 */
export const foldRestBin = (
  mixture: Mixture,
  { excess, p0 }: { readonly excess: number; readonly p0: number },
): Mixture => mixture.map((part, index) => part * (1 + (bet(index) / p0 / 2) * (excess - p0)));

const bet = (index: number): number => BETS[index] ?? 0;

/** Failing rates that single outcomes are judged against: p0·2, p0·4, … and 0.999. */
export const alternatives = (p0: number): readonly number[] => {
  const doubled = Array.from({ length: 60 }, (_, index) => p0 * 2 ** (index + 1)).filter((rate) => rate <= 0.9);
  return [...doubled, 0.999];
};

/** Folds one outcome; for streams whose failures are independent. Start with a zero for each of `alternatives(p0)`. */
export const foldOutcome = (
  mixture: Mixture,
  failed: boolean,
  how: { readonly mass: number; readonly p0: number },
): Mixture =>
  alternatives(how.p0).map(
    (rate, index) => (how.mass + (mixture[index] ?? 0)) * (failed ? rate / how.p0 : (1 - rate) / (1 - how.p0)),
  );

/** Mass that a step has brought `sinceMs` after it: half at once, half over the next 30 s. */
export const stepMass = (total: number, sinceMs: number): number =>
  sinceMs < 0 ? 0 : total * (0.5 + 0.5 * Math.min(1, sinceMs / 30_000));

/** Alarm level and mass of a step for a promised mean time between false alarms, both in seconds. Half the promise is for time, half for `STEPS_PAID` steps. */
export const alarmAt = (falseAlarmEverySec: number): number => 2 * falseAlarmEverySec;
export const massOfStep = (falseAlarmEverySec: number): number => falseAlarmEverySec / 200;
/** Steps within one promised period that extra mass is injected for. */
export const STEPS_PAID = 200;
