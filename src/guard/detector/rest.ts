/** A bin that may begin a rest. `restMs`: how long a burst may last beyond its edge. Default: as long as the bin. */
type Failing = { readonly from: number; readonly to: number; readonly restMs?: number };

/** Bins that begin before this rest. A quarter of slack: real bins do not end to the millisecond. */
export const restAfter = ({ from, to, restMs = to - from }: Failing): number => to + restMs * 0.75;

/** What is left of a rest after a bin that rested. Its own failures do not prolong it: whoever fails on and on must not hide behind them. */
export const restedUntil = (restUntil: number, { to }: { readonly to: number }): number =>
  to < restUntil ? restUntil : -Infinity;
