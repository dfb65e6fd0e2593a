import type { CountBin } from "../../../guard/count.ts";
import { seriesByStatus, seriesFrom, type CountedBy } from "../counters.ts";
import type { LiveSink } from "./live-source.ts";
import { readCountLine, type Expected, type PrintedCount } from "./count-line.ts";
import type { Placing } from "./placing.ts";
import { sumCounts, type PlacedDelta } from "./sum-counts.ts";

/** What a line has come to. `gathering`: nothing yet. `flooded`: this program can only be ended. */
export type LineOutcome =
  | { readonly kind: "gathering" }
  | { readonly kind: "bin"; readonly bin: CountBin }
  | { readonly kind: "wrong"; readonly why: string }
  | { readonly kind: "flooded"; readonly why: string };

/** Bins shorter than this are not closed: their counts go into the next. */
const LEAST_BIN_MS = 50;
const MOST_COUNTS = 20_000;
const MOST_WRONG = 1_000;
/** How far the clock of a program may be from ours. */
const MOST_AHEAD_MS = 1_000;
const MOST_BEHIND_MS = 60_000;

/**
 * Gathers the lines of one program into bins. The first close begins the first bin: what came before it was counted since nobody knows when.
 * A bin with a wrong line in it is missing, for nobody knows what that line should have said.
 */
export const startCountBins = (
  expected: Expected & CountedBy & Pick<LiveSink, "onUnlisted">,
  placeOf: () => Placing,
) => {
  let gathered: PlacedDelta[] = [];
  let begin: number | undefined;
  let number = 0;
  let wrongInARow = 0;
  let isSpoilt = false;

  const wrong = (why: string): LineOutcome => {
    isSpoilt = true;
    wrongInARow += 1;
    const told = `line ${number}: ${why}`;
    return wrongInARow > MOST_WRONG
      ? { kind: "flooded", why: `more than ${MOST_WRONG} wrong lines in a row, the last of them ${told}` }
      : { kind: "wrong", why: told };
  };

  const gather = (count: PrintedCount): LineOutcome => {
    const delta = deltaOf(count, expected, placeOf());
    if (gathered.length >= MOST_COUNTS)
      return { kind: "flooded", why: `line ${number}: more than ${MOST_COUNTS} counts in one bin` };
    if (delta === undefined) return { kind: "gathering" };
    gathered.push(delta);
    if (delta.unlisted !== undefined && delta.count > 0) expected.onUnlisted(delta.unlisted, delta.count);
    return { kind: "gathering" };
  };

  const close = (at: number, isStated: boolean): LineOutcome => {
    const from = begin;
    if (from !== undefined && at - from < LEAST_BIN_MS) return { kind: "gathering" };
    const [counts, isWhole] = [gathered, from !== undefined && !isSpoilt];
    begin = at;
    gathered = [];
    isSpoilt = false;
    if (from === undefined || !isWhole) return { kind: "gathering" };
    wrongInARow = 0;
    const ms = at - from;
    // Lines that waited in a pipe say nothing of when they were written: as much doubt as the bin is long.
    return {
      kind: "bin",
      bin: { kind: "bin", at, ms, ...(isStated ? {} : { from: from - ms }), counts: sumCounts(counts) },
    };
  };

  const closeAt = (stated: number, heardAt: number): LineOutcome => {
    const why =
      stated > heardAt + MOST_AHEAD_MS
        ? "`at` is ahead of the clock of this machine"
        : stated < heardAt - MOST_BEHIND_MS
          ? "`at` is more than a minute ago"
          : begin !== undefined && stated < begin
            ? "`at` is before that of the line that closed the bin before"
            : undefined;
    if (why === undefined) return close(Math.min(stated, heardAt), true);
    begin = undefined;
    return wrong(why);
  };

  return {
    /** `text` undefined: a line too long to be kept. `heardAt` in ms since the epoch. */
    line(text: string | undefined, heardAt: number): LineOutcome {
      number += 1;
      if (text === undefined) return wrong("it is too long");
      const line = readCountLine(text, expected);
      switch (line.kind) {
        case "wrong":
          return wrong(line.why);
        case "count":
          return gather(line.count);
        case "close":
          return line.at === undefined ? close(heardAt, false) : closeAt(line.at, heardAt);
      }
    },
  };
};

const deltaOf = (
  { operation, region, release, instance, cohort, code, http, count }: PrintedCount,
  by: CountedBy,
  place: Placing,
): PlacedDelta | undefined => {
  const said = { operation, http: http === undefined ? undefined : String(http), cohort };
  const series = code === undefined ? seriesByStatus(said, by) : seriesFrom({ ...said, code }, by);
  const placed = place({ region, release, instance });
  return series === undefined || placed.kind !== "here" ? undefined : { ...series, count, place: placed.place };
};
