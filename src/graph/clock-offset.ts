/** What another clock said between two looks at ours; ms since the epoch. */
export type ClockReading = { readonly theirs: number; readonly before: number; readonly after: number };

/** Nobody's certificates, nonces or time-outs depend on less. */
const TOLERATED_MS = 250;

/** How far another clock is from this machine's, as far as the way there lets us know. */
export function offsetText({ theirs, before, after }: ClockReading): string {
  const [offsetMs, uncertainMs] = [theirs - (before + after) / 2, (after - before) / 2];
  const ms = Math.abs(offsetMs);
  if (ms <= Math.max(TOLERATED_MS, uncertainMs)) return "in step with this machine";
  return `${(ms / 1000).toFixed(1)} s ${offsetMs > 0 ? "ahead of" : "behind"} this machine`;
}
