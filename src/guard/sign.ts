/**
 * Paired signs: is the new side worse than the old one? Looks only at bins in which exactly one side failed. If both are alike, that side is
 * the new one with probability ½, whatever happens inside the bin. The evidence is a product from a known instant: wrong with at most 1/E.
 */
const SIGNS = [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.999] as const;

export type Side = { readonly issued: number; readonly failed: number };

/** ln of each component; equal weights. `restUntil`: bins that begin before it are skipped, so that a burst counts once. */
export type SignTest = { readonly logs: readonly number[]; readonly restUntil: number };

export const freshSignTest: SignTest = { logs: SIGNS.map(() => 0), restUntil: 0 };

/** How much more likely it is than not that the new side is worse, as a factor. */
export const signEvidence = ({ logs }: SignTest): number => {
  const top = Math.max(...logs);
  return (Math.exp(top) * logs.reduce((sum, log) => sum + Math.exp(log - top), 0)) / logs.length;
};

export const foldSigns = (
  test: SignTest,
  fresh: Side,
  old: Side,
  bin: { readonly from: number; readonly to: number },
): SignTest => {
  if (fresh.failed + old.failed === 0) return test;
  const restUntil = bin.to + (bin.to - bin.from) / 2;
  if (bin.from < test.restUntil || fresh.issued === 0 || old.issued === 0) return { ...test, restUntil };
  const [pNew, pOld] = chances(fresh, old);
  return { restUntil, logs: test.logs.map((log, index) => log + Math.log(factor(SIGNS[index] ?? 0.5, pNew, pOld))) };
};

/** Factor of one bin in which the new side failed with chance `pNew` and the old one with `pOld`, once the larger side is thinned to the size of the smaller. */
const factor = (sign: number, pNew: number, pOld: number): number =>
  pNew * (1 - pOld) * 2 * sign + (1 - pNew) * pOld * 2 * (1 - sign) + pNew * pOld + (1 - pNew) * (1 - pOld);

// Thinning is averaged over all ways to do it instead of drawn: still evidence, and no luck is needed.
const chances = (fresh: Side, old: Side): readonly [number, number] => {
  const size = Math.min(fresh.issued, old.issued);
  return [anyFailureAmong(size, fresh), anyFailureAmong(size, old)];
};

/** Chance that `size` outcomes drawn from a side contain a failure. */
const anyFailureAmong = (size: number, { issued, failed }: Side): number => {
  let none = 1;
  for (let drawn = 0; drawn < size; drawn++) none *= Math.max(0, (issued - failed - drawn) / (issued - drawn));
  return 1 - none;
};
