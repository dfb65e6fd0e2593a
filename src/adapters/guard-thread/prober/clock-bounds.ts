/**
 * What a prober's monotonic time is by our own, between two bounds, without a wall clock. A line cannot be heard before it was written: that
 * bounds it above. An order cannot be read before it was sent: that bounds it below.
 */
export type ClockBounds = {
  /** A line that it wrote at `theirs` was heard at `ours`. */
  heard(theirs: number, ours: number): void;
  /** An order that was sent at `ours` was read at `theirs`. */
  read(theirs: number, ours: number): void;
  /** Ours, as late as it can have been. */
  latest(theirs: number): number;
  /** Ours, as early as it can have been. */
  earliest(theirs: number): number;
};

/** Clocks drift: what was measured longer ago counts only while nothing newer is known. */
const KEPT_MS = 30_000;

type Measured = { readonly at: number; readonly offset: number };

export const startClockBounds = (): ClockBounds => {
  let above: readonly Measured[] = [];
  let below: readonly Measured[] = [];
  const top = (): number => Math.min(...above.map(({ offset }) => offset));
  return {
    heard(theirs, ours) {
      above = tightest([...above, { at: ours, offset: ours - theirs }], ours, 1);
    },
    read(theirs, ours) {
      below = tightest([...below, { at: ours, offset: ours - theirs }], ours, -1);
    },
    latest: (theirs) => theirs + top(),
    earliest: (theirs) => theirs + Math.min(top(), Math.max(...below.map(({ offset }) => offset))),
  };
};

/** Of what is not too old, the newest, and every older one that is tighter than all after it. `sign`: 1 where less is tighter. */
const tightest = (all: readonly Measured[], now: number, sign: 1 | -1): readonly Measured[] =>
  all.filter(
    (one, index) =>
      one.at > now - KEPT_MS && all.slice(index + 1).every((later) => sign * one.offset < sign * later.offset),
  );
