import { bounded, type Mixture } from "./mixture.ts";

/** Bets on single outcomes: each holds that the failure rate is not `p0` but a certain higher one. */
export type OutcomeBets = {
  /** Factor of a failure, by bet. */
  readonly failed: readonly number[];
  /** ln of the factor of a success, by bet. */
  readonly logPassed: readonly number[];
};

/** Rates that a stream is accused of: p0·2, p0·4, … and 0.999. Never 1: a single success would wipe that bet out. */
export const alternatives = (p0: number): readonly number[] => {
  const rates: number[] = [];
  for (let rate = p0 * 2; rate <= 0.9; rate *= 2) rates.push(rate);
  return [...rates, 0.999];
};

/** `p0`: upper bound of the chance that an outcome is a failure, given all before it; above 0 and below 0.999. */
export const outcomeBets = (p0: number): OutcomeBets => ({
  failed: alternatives(p0).map((rate) => rate / p0),
  logPassed: alternatives(p0).map((rate) => Math.log1p(-rate) - Math.log1p(-p0)),
});

/** Folds one outcome. `mass`: the seconds it covers, fixed before it is known. Only for streams whose failures are independent. */
export const foldOutcome = (
  mixture: Mixture,
  bets: OutcomeBets,
  outcome: { readonly isFailed: boolean; readonly mass: number },
): Mixture => {
  if (!outcome.isFailed) return foldSuccesses(mixture, bets, { count: 1, mass: outcome.mass });
  return bets.failed.map((factor, index) => bounded((outcome.mass + (mixture[index] ?? 0)) * factor));
};

/** Folds that many successes in a row at once, each with `mass`. */
export const foldSuccesses = (
  mixture: Mixture,
  bets: OutcomeBets,
  { count, mass }: { readonly count: number; readonly mass: number },
): Mixture =>
  count > 0 ? bets.logPassed.map((log, index) => shrunk(mixture[index] ?? 0, { log, count, mass })) : mixture;

/** `count` times `part ← (mass + part)·exp(log)`, in one go. */
export const shrunk = (
  part: number,
  { log, count, mass }: { readonly log: number; readonly count: number; readonly mass: number },
): number =>
  // 1 − s^count would cancel for the small bets; expm1 keeps the digits.
  bounded(part * Math.exp(count * log) + (mass * Math.exp(log) * Math.expm1(count * log)) / Math.expm1(log));
