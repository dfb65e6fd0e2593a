import { bounded, evidenceIn, freshMixture, type Mixture } from "./mixture.ts";
import { shrunk } from "./outcomes.ts";

/**
 * Bets on the failing share of a bin. The promise holds however outcomes hang together inside a bin, as long as the share is at most
 * `p0` on average: that is what makes bins proof against bursts. A burst that crosses an edge is taken care of by the rest, see `bin-stream.ts`.
 */
const STAKES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9] as const;

export const freshBins: Mixture = freshMixture(STAKES.length);

/** Operations issued in a bin, all of them with an outcome. `seconds`: the time it covers, and extra mass for a step. */
export type Bin = { readonly issued: number; readonly failed: number; readonly seconds: number };

/** Folds a closed bin. A bin without outcomes, or with numbers that are none, changes nothing. */
export const foldBin = (mixture: Mixture, { issued, failed, seconds }: Bin, p0: number): Mixture => {
  if (!(issued > 0 && failed >= 0 && seconds >= 0)) return mixture;
  const share = Math.min(1, failed / issued);
  return STAKES.map((stake, index) => bounded((seconds + (mixture[index] ?? 0)) * (1 + (stake / p0) * (share - p0))));
};

/** Folds that many bins without a failure at once. */
export const foldCleanBins = (
  mixture: Mixture,
  { count, seconds }: { readonly count: number; readonly seconds: number },
): Mixture =>
  count > 0
    ? STAKES.map((stake, index) => shrunk(mixture[index] ?? 0, { log: Math.log1p(-stake), count, mass: seconds }))
    : mixture;

/**
 * The evidence that the running bin already assures: it will have `issued` operations, and at least these failures.
 * The state itself must wait until the bin is closed.
 */
export const evidenceSoFar = (mixture: Mixture, running: Bin, p0: number): number =>
  Math.max(evidenceIn(mixture), evidenceIn(foldBin(mixture, running, p0)));
