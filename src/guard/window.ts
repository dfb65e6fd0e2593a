import type { Count, CountBin } from "./count.ts";

/** The latest bins that had outcomes, oldest first: what sentences and comparisons are made of. */
export type Window = readonly CountBin[];

const KEEP_MS = 12_000;
/** Failures further apart than this have nothing to do with each other. */
const QUIET_MS = 2_000;

export const addToWindow = (window: Window, bin: CountBin): Window => {
  if (bin.counts.length === 0) return window;
  const first = window.findIndex((known) => known.at > bin.at - KEEP_MS);
  const kept = first === -1 ? [] : window.slice(first);
  kept.push(bin);
  return kept;
};

/** Begin of the failures that go on now, among the counts that match; undefined if there are none. */
export const onsetOf = (window: Window, matches: (count: Count) => boolean): number | undefined => {
  let onset: number | undefined;
  for (const bin of window.toReversed()) {
    if (bin.at < (onset ?? 0) - QUIET_MS) break;
    if (bin.counts.some((count) => count.failed > 0 && matches(count)))
      onset = Math.min(onset ?? Infinity, bin.at - bin.ms);
  }
  return onset;
};

/** All counts issued between two times. */
export const countsBetween = (window: Window, from: number, to = Infinity): readonly Count[] =>
  window.filter((bin) => bin.at - bin.ms >= from && bin.at <= to).flatMap((bin) => bin.counts);
