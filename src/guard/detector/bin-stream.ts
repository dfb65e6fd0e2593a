import { foldBin, freshBins, type Bin } from "./bins.ts";
import type { Mixture } from "./mixture.ts";
import { restAfter, restedUntil } from "./rest.ts";

/** One stream of bins. What comes right after a failing bin rests: a burst that crosses the edge between them counts once. */
export type BinStream = {
  readonly mixture: Mixture;
  /** A bin that begins before this rests, ms. */
  readonly restUntil: number;
};

export type TimedBin = Bin & {
  /** Begin and end, ms. */
  readonly from: number;
  readonly to: number;
  /** How long bins after it rest if it fails. Default: as long as the bin. */
  readonly restMs?: number;
};

export const freshBinStream: BinStream = { mixture: freshBins, restUntil: -Infinity };

/** Whether the bin tells nothing because one before it failed. */
export const isResting = (stream: BinStream, { from }: { readonly from: number }): boolean => from < stream.restUntil;

export const foldIntoBins = (stream: BinStream, bin: TimedBin, p0: number): BinStream => {
  if (!(bin.issued > 0 && bin.failed >= 0)) return stream;
  if (isResting(stream, bin)) return { ...stream, restUntil: restedUntil(stream.restUntil, bin) };
  return { mixture: foldBin(stream.mixture, bin, p0), restUntil: bin.failed > 0 ? restAfter(bin) : -Infinity };
};
