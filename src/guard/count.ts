import type { Operation } from "../plan/model.ts";

/** Which side of the upgrade served an operation; `unknown` when nobody answered and any instance could have been asked. */
export type CountSide = "new" | "old" | "unknown";
export type Source = "probes" | "live";

/** Operations of one kind within one bin. */
export type Count = {
  readonly operation: Operation;
  readonly region: string;
  /** Release name, or "unknown". */
  readonly release: string;
  readonly side: CountSide;
  readonly cohort: string;
  readonly source: Source;
  readonly issued: number;
  readonly failed: number;
  /** Failed ones that no instance answered: refused, cut, timed out, or answered by the balancer alone. */
  readonly unreached?: number;
  /** Failed ones by code. */
  readonly codes?: Readonly<Record<string, number>>;
  /** Of those that succeeded: slower than the plan's objective. Absent where the source cannot tell. */
  readonly slow?: number;
  /** Operations that got an answer or should have, also such as are no sample: limited ones, and keys that were not let in. */
  readonly asked?: number;
  /** Of those asked: refused on their merits, by a limit or for their key. Absent where the source cannot tell. */
  readonly refused?: number;
  /** Of those refused: for an order that the venue does not know (any more). */
  readonly lost?: number;
  /** False: served by an instance that is withdrawn or in the dark, so its successes say nothing about users. Default true. */
  readonly isExposed?: boolean;
};

/** A closed bin of one source: every operation issued in it has an outcome or has passed its deadline. */
export type CountBin = {
  readonly kind: "bin";
  /** End of the bin, ms since the epoch. */
  readonly at: number;
  /** Its width. */
  readonly ms: number;
  /** When the first of its operations may have been issued, where that was before the bin began: who is read in turns is not read at one moment. */
  readonly from?: number;
  readonly counts: readonly Count[];
  /** Instances that did as they were asked, asked for themselves and not as one of many. */
  readonly met?: readonly string[];
};

/** No operation of the bin was issued before. */
export const issuedFrom = ({ at, ms, from }: CountBin): number => Math.min(at - ms, from ?? Infinity);

export type Tally = { readonly issued: number; readonly failed: number; readonly unreached: number };

export const tally = (counts: Iterable<Count>): Tally => {
  let [issued, failed, unreached] = [0, 0, 0];
  for (const count of counts) {
    issued += count.issued;
    failed += count.failed;
    unreached += count.unreached ?? 0;
  }
  return { issued, failed, unreached };
};

/** Failed / issued; 0 for nothing. */
export const shareOf = ({ issued, failed }: { readonly issued: number; readonly failed: number }): number =>
  issued === 0 ? 0 : failed / issued;
