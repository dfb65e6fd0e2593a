import { bounded, freshMixture, type Mixture } from "./mixture.ts";

/**
 * Paired signs: is the new side worse than the old one? Looks only at bins in which exactly one side failed. If both are alike, that side is
 * the new one with probability ½, whatever the market does and whatever hangs together inside the bin.
 */
const SIGNS = [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.999] as const;

export type Side = { readonly issued: number; readonly failed: number };

/** `restUntil`: bins that begin before it are skipped, so that a burst counts once. */
export type SignStream = { readonly mixture: Mixture; readonly restUntil: number };

export const freshSigns: SignStream = { mixture: freshMixture(SIGNS.length), restUntil: -Infinity };

/** A bin of both sides. `mass`: seconds that a bin in which one side failed stands for, see `secondsPerSign`. Times in ms. */
export type SignBin = {
  readonly fresh: Side;
  readonly old: Side;
  readonly from: number;
  readonly to: number;
  readonly mass: number;
};

export const foldSigns = (stream: SignStream, { fresh, old, from, to, mass }: SignBin): SignStream => {
  // One bin rests, not all that follow: a side that fails on and on must not hide behind its own failures.
  if (from < stream.restUntil) return { ...stream, restUntil: -Infinity };
  if (!(fresh.failed + old.failed > 0)) return stream;
  const restUntil = to + (to - from) / 2;
  if (!(fresh.issued > 0 && old.issued > 0)) return { ...stream, restUntil };
  const [pNew, pOld] = chances(fresh, old);
  const [onlyNew, onlyOld] = [pNew * (1 - pOld), pOld * (1 - pNew)];
  const alike = 1 - onlyNew - onlyOld;
  const mixture = SIGNS.map((sign, index) => {
    const told = onlyNew * 2 * sign + onlyOld * 2 * (1 - sign);
    return bounded((stream.mixture[index] ?? 0) * (told + alike) + mass * told);
  });
  return { mixture, restUntil };
};

/** How many seconds of health pass on average for each bin in which exactly one side fails. With that as mass, evidence is in seconds again. */
export const secondsPerSign = (
  { fresh, old, ms }: { readonly fresh: number; readonly old: number; readonly ms: number },
  p0: number,
): number => {
  const fails = Math.min(0.5, -Math.expm1(Math.min(fresh, old) * Math.log1p(-p0)));
  return fails > 0 ? ms / 1000 / (2 * fails * (1 - fails)) : 0;
};

// The larger side is thinned to the size of the smaller. Averaged over all ways to do it instead of drawn: still evidence, and no luck is needed.
const chances = (fresh: Side, old: Side): readonly [number, number] => {
  const size = Math.min(fresh.issued, old.issued);
  return [anyFailureAmong(size, fresh), anyFailureAmong(size, old)];
};

/** Chance that `size` outcomes drawn from a side contain a failure. */
const anyFailureAmong = (size: number, { issued, failed }: Side): number => {
  // As many draws as there are failures are fewer than as many as there are outcomes.
  const [draws, others] = failed < size ? [failed, size] : [size, failed];
  let none = 1;
  for (let drawn = 0; drawn < draws && none > 0; drawn++)
    none *= Math.max(0, (issued - others - drawn) / (issued - drawn));
  return 1 - none;
};
