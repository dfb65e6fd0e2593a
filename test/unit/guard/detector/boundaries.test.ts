import { describe, expect, test } from "vitest";
import { dispersionOf, upperBaseline } from "../../../../src/guard/detector/baseline.ts";
import { foldIntoBins, freshBinStream, isResting } from "../../../../src/guard/detector/bin-stream.ts";
import { evidenceSoFar, foldBin, foldCleanBins, freshBins } from "../../../../src/guard/detector/bins.ts";
import { mixLevels } from "../../../../src/guard/detector/levels.ts";
import { bounded, evidenceIn, freshMixture, inject } from "../../../../src/guard/detector/mixture.ts";
import { foldIntoStream, freshOutcomeStream } from "../../../../src/guard/detector/outcome-stream.ts";
import { alternatives, foldOutcome, foldSuccesses, outcomeBets } from "../../../../src/guard/detector/outcomes.ts";
import { restedUntil } from "../../../../src/guard/detector/rest.ts";
import {
  foldMore,
  foldSigns,
  freshSigns,
  secondsPerSign,
  type Side,
  type SignStream,
} from "../../../../src/guard/detector/signs.ts";

const side = (issued: number, failed: number): Side => ({ issued, failed });
/** Mean of twice the bets on signs: what a bin tells in which only the new side failed. */
const TOLD = 1.5498;

describe("a mixture", () => {
  test("is the mean of its bets, and nothing without bets", () => {
    expect(evidenceIn([1, 2, 6])).toBe(3);
    expect(evidenceIn([])).toBe(0);
    expect(freshMixture(3)).toEqual([0, 0, 0]);
    expect(inject([1, 2], 5)).toEqual([6, 7]);
  });

  test("never grows beyond its ceiling, and what is no number is at the ceiling: it alarms", () => {
    expect([1e99, 1e100, 1e101, Infinity, NaN].map(bounded)).toEqual([1e99, 1e100, 1e100, 1e100, 1e100]);
    expect(evidenceIn(inject([NaN], 1))).toBe(1e100);
    expect(evidenceIn(foldBin([NaN], { issued: 1, failed: 1, seconds: 1 }, 0.001))).toBeGreaterThan(1e98);
  });

  test("of levels is the weighted mean of their means", () => {
    expect(
      mixLevels([
        { weight: 1, streams: 2, total: 12 },
        { weight: 3, streams: 4, total: 8 },
      ]),
    ).toBe((1 * 6 + 3 * 2) / 4);
  });
});

describe("a bin", () => {
  const clean = { issued: 10, failed: 0, seconds: 1 };

  test("of no time tells by its outcomes alone, and one of negative or unknown time tells nothing", () => {
    const mixture = freshBins.map(() => 8);
    expect(evidenceIn(foldBin(mixture, { ...clean, seconds: 0 }, 0.001))).toBeCloseTo(8 * 0.6475, 9);
    expect(foldBin(mixture, { ...clean, seconds: -1 }, 0.001)).toBe(mixture);
    expect(foldBin(mixture, { ...clean, seconds: NaN }, 0.001)).toBe(mixture);
  });

  test("fails wholly at most", () => {
    const of = (failed: number): number => evidenceIn(foldBin(freshBins, { ...clean, failed }, 0.001));
    expect(of(25)).toBe(of(10));
    expect(of(9)).toBeLessThan(of(10));
  });

  test("begins every bet that is not there yet with nothing", () => {
    expect(foldBin([], clean, 0.001)).toEqual(foldBin(freshBins, clean, 0.001));
    expect(foldCleanBins([], { count: 3, seconds: 1 })).toEqual(foldCleanBins(freshBins, { count: 3, seconds: 1 }));
  });

  test("that is none changes nothing", () => {
    for (const count of [0, -1, NaN]) expect(foldCleanBins(freshBins, { count, seconds: 1 })).toBe(freshBins);
    expect(foldCleanBins(freshBins, { count: 1, seconds: 1 })).not.toBe(freshBins);
  });

  test("that still runs never takes evidence back", () => {
    const mixture = freshBins.map(() => 100);
    expect(evidenceSoFar(mixture, clean, 0.001)).toBe(100);
    expect(evidenceSoFar(mixture, { ...clean, failed: 1 }, 0.001)).toBeGreaterThan(100);
  });

  test("rests until the rest ends: a bin that ends with it is the last", () => {
    expect([99, 100, 101].map((to) => restedUntil(100, { to }))).toEqual([100, -Infinity, -Infinity]);
  });

  test("rests when it begins less than three quarters of a bin after a failing one, and the next counts", () => {
    const bin = (from: number, failed = 5) => ({ ...clean, failed, from, to: from + 100 });
    const failed = foldIntoBins(freshBinStream, bin(0), 0.001);
    expect(failed.restUntil).toBe(175);
    expect(isResting(failed, { from: 174 })).toBe(true);
    expect(isResting(failed, { from: 175 })).toBe(false);
    const rested = foldIntoBins(failed, bin(174), 0.001);
    expect(rested).toEqual({ mixture: failed.mixture, restUntil: -Infinity });
    expect(evidenceIn(foldIntoBins(failed, bin(175), 0.001).mixture)).toBeGreaterThan(10 * evidenceIn(failed.mixture));
    expect(foldIntoBins(freshBinStream, bin(0, 0), 0.001).restUntil).toBe(-Infinity);
    expect(freshBinStream.restUntil).toBe(-Infinity);
  });
});

describe("single outcomes", () => {
  const bets = outcomeBets(0.001);

  test("are accused of doubled rates up to nine tenths", () => {
    expect(alternatives(0.45)).toEqual([0.9, 0.999]);
    expect(alternatives(0.46)).toEqual([0.999]);
    expect(alternatives(0.1)).toEqual([0.2, 0.4, 0.8, 0.999]);
  });

  test("begin every bet that is not there yet with nothing", () => {
    const fresh = freshMixture(10);
    for (const isFailed of [true, false])
      expect(foldOutcome([], bets, { isFailed, mass: 1 })).toEqual(foldOutcome(fresh, bets, { isFailed, mass: 1 }));
  });

  test("that are none change nothing", () => {
    const fresh = freshMixture(10);
    for (const count of [0, -1, NaN]) expect(foldSuccesses(fresh, bets, { count, mass: 1 })).toBe(fresh);
  });

  test("rest after a failure, until the time is over, and after no success", () => {
    const how = { bets, restMs: 50 };
    const failed = foldIntoStream(freshOutcomeStream(bets), { at: -1_000, isFailed: true, mass: 1 }, how);
    expect(failed.restUntil).toBe(-950);
    expect(evidenceIn(failed.mixture)).toBeCloseTo(202.1, 6);
    expect(foldIntoStream(failed, { at: -951, isFailed: false, mass: 1 }, how)).toBe(failed);
    const passed = foldIntoStream(failed, { at: -950, isFailed: false, mass: 1 }, how);
    expect(passed.restUntil).toBe(-950);
    expect(evidenceIn(passed.mixture)).toBeLessThan(202);
  });
});

describe("new against old", () => {
  const bin = (fresh: Side, old: Side, mass = 1) => ({ fresh, old, from: 0, to: 100, mass });
  const holding = (before: number): SignStream => ({
    mixture: freshSigns.mixture.map(() => before),
    restUntil: -Infinity,
  });
  const told = (fold: typeof foldSigns, fresh: Side, old: Side, before = 0): number =>
    evidenceIn(fold(holding(before), bin(fresh, old)).mixture);

  test("the larger side is thinned: one of four failed is found by every second pair", () => {
    // New: 1 of 2 failed. Old: 1 of 4, and a half of it holds the failure every second time.
    expect(told(foldSigns, side(2, 1), side(4, 1))).toBeCloseTo(TOLD / 2, 12);
    expect(told(foldSigns, side(2, 1), side(4, 1), 8)).toBeCloseTo(8 * (TOLD / 2 + 1 / 2) + TOLD / 2, 12);
    expect(told(foldSigns, side(4, 1), side(2, 1))).toBeCloseTo((2 - TOLD) / 2, 12);
    // Three of ten failed, drawn four: a failure is among them unless all four are of the other seven.
    const found = 1 - (7 * 6 * 5 * 4) / (10 * 9 * 8 * 7);
    expect(told(foldSigns, side(10, 3), side(4, 0))).toBeCloseTo(found * TOLD, 12);
    expect(told(foldSigns, side(10, 6), side(4, 0))).toBeCloseTo((1 - 24 / 5_040) * TOLD, 12);
    expect(told(foldSigns, side(10, 7), side(4, 0))).toBeCloseTo(TOLD, 12);
  });

  test("who has more is known by the chances of the smaller side among the larger", () => {
    // Three of ten drawn, of which four failed: none 20, one 60, two 36, three 4, of 120.
    expect(told(foldMore, side(3, 1), side(10, 4))).toBeCloseTo((20 * TOLD + 40 * (2 - TOLD)) / 120, 12);
    expect(told(foldMore, side(3, 2), side(10, 4))).toBeCloseTo((80 * TOLD + 4 * (2 - TOLD)) / 120, 12);
    expect(told(foldMore, side(10, 4), side(3, 1))).toBeCloseTo((40 * TOLD + 20 * (2 - TOLD)) / 120, 12);
    // Two of four drawn, of which three failed: one or two, each every second time.
    expect(told(foldMore, side(4, 3), side(2, 1))).toBeCloseTo(TOLD / 2, 12);
    expect(told(foldMore, side(2, 1), side(4, 3), 8)).toBeCloseTo(8 * ((2 - TOLD) / 2 + 1 / 2) + (2 - TOLD) / 2, 12);
    expect(told(foldMore, side(9, 5), side(9, 4))).toBeCloseTo(TOLD, 12);
    expect(told(foldMore, side(9, 4), side(9, 4))).toBe(0);
  });

  test("large bins do not lose their chances", () => {
    expect(told(foldMore, side(10_000, 5_000), side(20_000, 9_000))).toBeCloseTo(TOLD, 6);
    expect(told(foldMore, side(20_000, 9_000), side(10_000, 5_000))).toBeCloseTo(2 - TOLD, 6);
  });

  test("a counter that jumps by a million million does not hold the guard up, and tells what its shares tell", () => {
    expect(told(foldMore, side(100_000, 50_000), side(200_000, 90_000))).toBeCloseTo(TOLD, 6);
    expect(told(foldMore, side(1e12, 5e11), side(2e12, 9e11))).toBeCloseTo(TOLD, 6);
    expect(told(foldMore, side(2e12, 9e11), side(1e12, 5e11))).toBeCloseTo(2 - TOLD, 6);
    expect(told(foldMore, side(1e12, 1e11), side(2e12, 9e11))).toBeCloseTo(2 - TOLD, 6);
    expect(told(foldSigns, side(1e12, 1e9), side(2e12, 0))).toBeCloseTo(TOLD, 6);
    // Each of 200,000 failures is among the ten million that are drawn with a chance of one in a hundred thousand.
    const found = 1 - Math.exp(200_000 * Math.log1p(-1e-5));
    expect(told(foldSigns, side(1e7, 0), side(1e12, 200_000))).toBeCloseTo((2 - TOLD) * found, 9);
    let none = 1;
    for (let drawn = 0; drawn < 100_000; drawn++) none *= (1e10 - 100_001 - drawn) / (1e10 - drawn);
    expect(told(foldSigns, side(100_001, 0), side(1e10, 100_000))).toBeCloseTo((2 - TOLD) * (1 - none), 9);
  });

  test("a bin in which nothing failed, or one side was not there, tells nothing", () => {
    const stream = holding(8);
    expect(foldSigns(stream, bin(side(9, 0), side(9, 0)))).toBe(stream);
    expect(foldSigns(stream, bin(side(9, 1), side(0, 0)))).toEqual({ ...stream, restUntil: 175 });
    expect(foldSigns(stream, bin(side(0, 0), side(9, 1)))).toEqual({ ...stream, restUntil: 175 });
    expect(foldSigns(stream, bin(side(9, 9), side(9, 9)))).toEqual({ ...stream, restUntil: 175 });
  });

  test("one bin rests after one in which a side failed, when it begins less than three quarters of a bin later", () => {
    const failing = bin(side(9, 9), side(9, 0));
    const first = foldSigns(freshSigns, failing);
    expect(first.restUntil).toBe(175);
    expect(foldSigns(first, { ...failing, from: 174, to: 274 })).toEqual({ ...first, restUntil: -Infinity });
    expect(foldSigns(first, { ...failing, from: 175, to: 275 }).mixture).not.toBe(first.mixture);
    expect(foldSigns(freshSigns, { ...failing, from: -900, to: -800 }).mixture).not.toBe(freshSigns.mixture);
  });

  test("a sign stands for the seconds in which health brings one", () => {
    const fails = 1 - 0.999 ** 25;
    expect(secondsPerSign({ fresh: 25, old: 80, ms: 100 }, 0.001)).toBeCloseTo(0.1 / (2 * fails * (1 - fails)), 9);
    expect(secondsPerSign({ fresh: 80, old: 25, ms: 200 }, 0.001)).toBeCloseTo(0.2 / (2 * fails * (1 - fails)), 9);
    expect(secondsPerSign({ fresh: 1e9, old: 1e9, ms: 100 }, 0.001)).toBe(0.2);
    expect(secondsPerSign({ fresh: 0, old: 9, ms: 100 }, 0.001)).toBe(0);
  });
});

describe("a measured baseline", () => {
  const bound = (issued: number, failed: number, dispersion = 1): number =>
    upperBaseline({ issued, failed, dispersion });

  test("equals what can be worked out by hand", () => {
    for (const issued of [1, 7, 100, 5_000]) {
      expect(bound(issued, 0)).toBeCloseTo(1 - 0.001 ** (1 / issued), 9);
      expect(bound(issued, issued - 1)).toBeCloseTo(0.999 ** (1 / issued), 9);
      expect(bound(issued, issued)).toBe(1);
    }
    // 3x² − 2x³ = 0.999
    expect(bound(3, 1)).toBeCloseTo(0.98162974, 7);
  });

  test("is the rate at which so few failures come by luck once in a thousand", () => {
    const ofSoFew = (issued: number, failed: number, rate: number): number => {
      let [chance, sum] = [(1 - rate) ** issued, 0];
      for (let count = 0; count <= failed; count++) {
        sum += chance;
        chance *= ((issued - count) / (count + 1)) * (rate / (1 - rate));
      }
      return sum;
    };
    for (const issued of [2, 5, 20, 60])
      for (let failed = 0; failed < issued; failed++)
        expect(ofSoFew(issued, failed, bound(issued, failed))).toBeCloseTo(0.001, 11);
  });

  test("is above the half in which it lies, as surely on this side as on that", () => {
    // By the normal approximation with its first correction, for counts at which that is good to three digits.
    expect(bound(100_000, 50_000)).toBeCloseTo(0.5 + 3.0902 * 0.0015811, 4);
    expect(bound(100_000, 90_000)).toBeCloseTo(0.9 + 3.0902 * 0.00094868, 4);
    expect(bound(100_000, 10_000)).toBeCloseTo(0.1 + 3.0902 * 0.00094868 + 0.00004, 4);
  });

  test("counts bursts as fewer and larger outcomes, and takes no credit for being more even than luck", () => {
    expect(bound(1_000, 10, 2)).toBeCloseTo(bound(500, 5), 12);
    expect(bound(1_000, 10, 0.5)).toBe(bound(1_000, 10));
    expect(bound(1_000, 10, NaN)).toBe(bound(1_000, 10));
  });

  test("of counts that are none is no baseline", () => {
    expect(bound(10, 20)).toBe(1);
    expect(bound(10, -1)).toBe(1);
    expect(bound(0, 0)).toBe(1);
    expect(bound(-5, 0)).toBe(1);
  });

  test("spreads by seconds: the variance of what fell into each, over its mean", () => {
    expect(dispersionOf({ seconds: 2, failed: 2, squares: 4 })).toBe(2);
    expect(dispersionOf({ seconds: 4, failed: 8, squares: 40 })).toBe((40 - 64 / 4) / 3 / 2);
    expect(dispersionOf({ seconds: 1, failed: 9, squares: 81 })).toBe(1);
    expect(dispersionOf({ seconds: 9, failed: 0, squares: 0 })).toBe(1);
    expect(dispersionOf({ seconds: 2, failed: 4, squares: 4 })).toBe(0);
  });
});
