import { foldIntoBins, freshBinStream, type BinStream } from "../../src/guard/detector/bin-stream.ts";
import { foldCleanBins } from "../../src/guard/detector/bins.ts";
import { evidenceIn } from "../../src/guard/detector/mixture.ts";
import { foldIntoStream, freshOutcomeStream } from "../../src/guard/detector/outcome-stream.ts";
import { foldSuccesses, outcomeBets } from "../../src/guard/detector/outcomes.ts";
import { geometric, type Luck } from "./luck.ts";

/** A healthy stream whose failures come in bursts, of a geometric number of operations in a row. */
export type HealthyCase = {
  /** The share of failing operations that is stated, and the one that is true. */
  readonly p0: number;
  readonly trueP0: number;
  readonly perSec: number;
  /** Mean failing operations in a burst; 1: independent. */
  readonly burst: number;
  readonly falseAlarmEverySec: number;
};

export type RunLength = {
  readonly days: number;
  readonly alarms: number;
  /** Mean days between false alarms, and what it exceeds with 95 % confidence. */
  readonly meanDays: number;
  readonly atLeastDays: number;
};

/** When to stop: so many alarms, or so many bursts. */
export type Effort = { readonly alarms: number; readonly bursts: number };

/** False alarms of the bin form with rest. */
export const binRunLength = (luck: Luck, how: HealthyCase & { readonly binMs: number }, effort: Effort): RunLength => {
  const issued = Math.round((how.perSec * how.binMs) / 1000);
  const seconds = how.binMs / 1000;
  let stream: BinStream = freshBinStream;
  let [alarms, bursts, position] = [0, 0, 0];
  let [bin, failed, nextBin] = [0, 0, 0];

  while (alarms < effort.alarms && bursts < effort.bursts) {
    position += gapOf(luck, how);
    const length = 1 + geometric(luck, 1 / how.burst);
    bursts++;
    for (let left = length; left > 0;) {
      const at = Math.floor(position / issued);
      if (at !== bin) close();
      bin = at;
      const here = Math.min(left, (at + 1) * issued - position);
      failed += here;
      position += here;
      left -= here;
    }
  }
  close();
  return lengthOf((nextBin * seconds) / 86_400, alarms);

  function close(): void {
    if (failed === 0) return;
    cleanUntil(bin);
    fold(failed);
    if (!(evidenceIn(stream.mixture) < how.falseAlarmEverySec)) {
      alarms++;
      stream = freshBinStream;
    }
    failed = 0;
  }
  function cleanUntil(end: number): void {
    if (nextBin < end && stream.restUntil > 0) fold(0);
    if (nextBin >= end) return;
    stream = { ...stream, mixture: foldCleanBins(stream.mixture, { count: end - nextBin, seconds }) };
    nextBin = end;
  }
  function fold(count: number): void {
    const [from, to] = [nextBin * how.binMs, (nextBin + 1) * how.binMs];
    stream = foldIntoBins(stream, { issued, failed: count, seconds, from, to }, how.p0);
    nextBin++;
  }
};

/** False alarms of the per-outcome form, with a rest of `restMs` after a failure. */
export const outcomeRunLength = (
  luck: Luck,
  how: HealthyCase & { readonly restMs: number },
  effort: Effort,
): RunLength => {
  const bets = outcomeBets(how.p0);
  const mass = 1 / how.perSec;
  const rules = { bets, restMs: how.restMs };
  let stream = freshOutcomeStream(bets);
  let [alarms, bursts, position] = [0, 0, 0];
  while (alarms < effort.alarms && bursts < effort.bursts) {
    const gap = gapOf(luck, how);
    const resting = Math.min(gap, Math.max(0, Math.ceil((stream.restUntil / 1000) * how.perSec - 1e-6) - position));
    stream = { ...stream, mixture: foldSuccesses(stream.mixture, bets, { count: gap - resting, mass }) };
    position += gap;
    bursts++;
    for (let left = 1 + geometric(luck, 1 / how.burst); left > 0; left--, position++) {
      stream = foldIntoStream(stream, { at: (position * 1000) / how.perSec, isFailed: true, mass }, rules);
      if (evidenceIn(stream.mixture) < how.falseAlarmEverySec) continue;
      alarms++;
      stream = { ...freshOutcomeStream(bets), restUntil: stream.restUntil };
    }
  }
  return lengthOf((position * mass) / 86_400, alarms);
};

// Of all operations, `trueP0` lie in bursts.
export const gapOf = (luck: Luck, { trueP0, burst }: HealthyCase): number =>
  geometric(luck, 1 / (1 + (burst * (1 - trueP0)) / trueP0));

export const lengthOf = (days: number, alarms: number): RunLength => ({
  days,
  alarms,
  meanDays: alarms === 0 ? Infinity : days / alarms,
  atLeastDays: days / mostAlarms(alarms),
});

/** The mean number of alarms that is refuted with 95 % confidence by having seen no more than these. */
const mostAlarms = (seen: number): number => {
  let [low, high] = [0, 10 + seen * 3];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (chanceOfAtMost(seen, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
};

const chanceOfAtMost = (seen: number, mean: number): number => {
  let [sum, log] = [0, -mean];
  for (let count = 0; count <= seen; count++) {
    sum += Math.exp(log);
    log += Math.log(mean / (count + 1));
  }
  return sum;
};
