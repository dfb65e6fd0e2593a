import { bounded, freshMixture, type Mixture } from "./mixture.ts";
import { restAfter, restedUntil } from "./rest.ts";

/**
 * Paired signs: is the new side worse than the old one? Looks only at bins in which exactly one side failed. If both are alike, that side is
 * the new one with probability ½, whatever the market does and whatever hangs together inside the bin.
 */
const SIGNS = [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.999] as const;

export type Side = { readonly issued: number; readonly failed: number };

/** `restUntil`: bins that begin before it are skipped, so that a burst counts once. */
export type SignStream = { readonly mixture: Mixture; readonly restUntil: number };

export const freshSigns: SignStream = { mixture: freshMixture(SIGNS.length), restUntil: -Infinity };

/**
 * A bin of both sides. `mass`: seconds that a bin in which one side failed stands for, see `secondsPerSign`. Times in ms.
 * `restMs`: how long bins after it rest if a side fails. Default: as long as the bin.
 */
export type SignBin = {
  readonly fresh: Side;
  readonly old: Side;
  readonly from: number;
  readonly to: number;
  readonly mass: number;
  readonly restMs?: number;
};

/** Exactly one side failed: for failures, which are rare. */
export const foldSigns = (stream: SignStream, bin: SignBin): SignStream => fold(stream, bin, onlyOneFailed);

/** One side has more of them than the other: for what happens in health too, such as refusals. */
export const foldMore = (stream: SignStream, bin: SignBin): SignStream => fold(stream, bin, oneHasMore);

/** Chances that the sign of a bin is the new side, and that it is the old one. */
type Signs = readonly [onlyNew: number, onlyOld: number];

const fold = (stream: SignStream, bin: SignBin, signsOf: (fresh: Side, old: Side) => Signs): SignStream => {
  const { fresh, old, mass } = bin;
  if (bin.from < stream.restUntil) return { ...stream, restUntil: restedUntil(stream.restUntil, bin) };
  if (![fresh, old].every(isCounted) || fresh.failed + old.failed === 0) return stream;
  const [onlyNew, onlyOld] = signsOf(fresh, old);
  const alike = 1 - onlyNew - onlyOld;
  const mixture = SIGNS.map((sign, index) => {
    const told = onlyNew * 2 * sign + onlyOld * 2 * (1 - sign);
    return bounded((stream.mixture[index] ?? 0) * (told + alike) + mass * told);
  });
  return { mixture, restUntil: restAfter(bin) };
};

/** How many seconds of health pass on average for each bin in which exactly one side fails. With that as mass, evidence is in seconds again. */
export const secondsPerSign = (
  { fresh, old, ms }: { readonly fresh: number; readonly old: number; readonly ms: number },
  p0: number,
): number => {
  const fails = Math.min(0.5, -Math.expm1(Math.min(fresh, old) * Math.log1p(-p0)));
  return fails > 0 ? ms / 1000 / (2 * fails * (1 - fails)) : 0;
};

const isCounted = ({ issued, failed }: Side): boolean => failed >= 0 && failed <= issued && issued < Infinity;

// The larger side is thinned to the size of the smaller. Averaged over all ways to do it instead of drawn: still evidence, and no luck is needed.
const onlyOneFailed = (fresh: Side, old: Side): Signs => {
  const size = Math.min(fresh.issued, old.issued);
  const [pNew, pOld] = [anyFailureAmong(size, fresh), anyFailureAmong(size, old)];
  return [pNew * (1 - pOld), pOld * (1 - pNew)];
};

const oneHasMore = (fresh: Side, old: Side): Signs => {
  // Stryker disable next-line EqualityOperator: sides of one size may change places
  if (fresh.issued > old.issued) {
    const [onlyOld, onlyNew] = oneHasMore(old, fresh);
    return [onlyNew, onlyOld];
  }
  return around(fresh.failed, fresh.issued, old);
};

/** More draws than this are told from shares: a counter that jumps must not hold the guard up. */
const MANY = 100_000;

/** Chances that `size` outcomes drawn from a side contain fewer than `count` failures, and more. */
const around = (count: number, size: number, { issued, failed }: Side): readonly [number, number] => {
  if (size > MANY) {
    const thinned = (part: number): number => Math.round((part / size) * MANY);
    return around(thinned(count), MANY, { issued: thinned(issued), failed: thinned(failed) });
  }
  const [least, most] = [Math.max(0, size - (issued - failed)), Math.min(size, failed)];
  // Logarithms of the chances, up to a constant: the chances themselves underflow in large bins.
  const logs = [0];
  // Stryker disable next-line EqualityOperator: one hit more than there can be has the chance 0
  for (let hits = least; hits < most; hits++) {
    const ratio = ((failed - hits) / (hits + 1)) * ((size - hits) / (issued - failed - size + hits + 1));
    logs.push((logs.at(-1) ?? 0) + Math.log(ratio));
  }
  const top = logs.reduce((highest, log) => Math.max(highest, log), -Infinity);
  let [all, fewer, more] = [0, 0, 0];
  logs.forEach((log, index) => {
    const chance = Math.exp(log - top);
    all += chance;
    if (least + index < count) fewer += chance;
    if (least + index > count) more += chance;
  });
  return [fewer / all, more / all];
};

/** Chance that `size` outcomes drawn from a side contain a failure. */
const anyFailureAmong = (size: number, { issued, failed }: Side): number => {
  // As many draws as there are failures are fewer than as many as there are outcomes.
  // Stryker disable next-line ConditionalExpression,EqualityOperator: either way round the chance is the same
  const [draws, others] = failed < size ? [failed, size] : [size, failed];
  if (draws > MANY) return -Math.expm1(draws * Math.log1p(-others / issued));
  let none = 1;
  for (let drawn = 0; drawn < draws; drawn++) none *= Math.max(0, (issued - others - drawn) / (issued - drawn));
  return 1 - none;
};
