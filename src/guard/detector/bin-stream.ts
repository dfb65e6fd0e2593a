import { foldBin, freshBins, type Bin } from "./bins.ts";
import type { Mixture } from "./mixture.ts";

/** One stream of bins. The bin after a failing one rests: a burst that crosses the edge between them counts once. */
export type BinStream = {
  readonly mixture: Mixture;
  /** A bin that begins before this rests, ms. */
  readonly restUntil: number;
};

export type TimedBin = Bin & {
  /** Begin and end, ms. */
  readonly from: number;
  readonly to: number;
};

export const freshBinStream: BinStream = { mixture: freshBins, restUntil: -Infinity };

/** Whether the bin tells nothing because the one before it failed. */
export const isResting = (stream: BinStream, { from }: { readonly from: number }): boolean => from < stream.restUntil;

export const foldIntoBins = (stream: BinStream, bin: TimedBin, p0: number): BinStream => {
  if (!(bin.issued > 0 && bin.failed >= 0)) return stream;
  if (isResting(stream, bin)) return { ...stream, restUntil: -Infinity };
  // Half a bin of slack: real bins do not end to the microsecond.
  const restUntil = bin.failed > 0 ? bin.to + (bin.to - bin.from) / 2 : -Infinity;
  return { mixture: foldBin(stream.mixture, bin, p0), restUntil };
};
