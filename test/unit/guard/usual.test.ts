import { describe, expect, test } from "vitest";
import { SHARES } from "../../../src/guard/comparison.ts";
import { upperBaseline } from "../../../src/guard/detector/baseline.ts";
import type { Count } from "../../../src/guard/count.ts";
import {
  foldUsual,
  freshUsual,
  holdAgainstUsual,
  isBeyondUsual,
  limitsOf,
  measureUsual,
  unusualEvidence,
  type Usual,
} from "../../../src/guard/usual.ts";
import { binAt, onNew, onOld } from "../../fakes/judged.ts";

const asked = (refused: number, more: Partial<Count> = {}): Count => onOld({ asked: 100, refused, ...more });
const measured = (usual: Usual, at: number, ...counts: readonly Count[]): Usual =>
  foldUsual(usual, binAt(at, counts), true);
const held = (usual: Usual, at: number, ...counts: readonly Count[]): Usual =>
  foldUsual(usual, binAt(at, counts), false);
/** A minute in which one in a hundred is refused, in each second the same. */
const minute = (): Usual =>
  Array.from({ length: 60 }, (_, second) => second * 1_000 + 1_500).reduce(
    (usual, at) => measured(usual, at, asked(1)),
    freshUsual,
  );

describe("what is usual", () => {
  test("is counted second by second, with the spread between seconds", () => {
    const first = measured(freshUsual, 1_100, asked(2));
    const second = measured(first, 1_900, asked(3));
    expect(second.measured.refused).toEqual({
      issued: 200,
      failed: 5,
      seconds: 0,
      squares: 0,
      running: { second: 1, failed: 5 },
    });
    const third = measured(second, 2_000, asked(4));
    expect(third.measured.refused).toEqual({
      issued: 300,
      failed: 9,
      seconds: 1,
      squares: 25,
      running: { second: 2, failed: 4 },
    });
    expect(measured(third, 5_000, asked(0)).measured.refused).toMatchObject({ seconds: 2, squares: 41 });
  });

  test("is not what a new release does, nor what happens in trouble", () => {
    const usual = measured(freshUsual, 1_000, asked(2), onNew({ asked: 100, refused: 50 }));
    expect(usual.measured.refused).toMatchObject({ issued: 100, failed: 2 });
    expect(foldUsual(freshUsual, binAt(1_000, [asked(2)]), false)).toBe(freshUsual);
  });

  test("is known by share, from sources that can tell", () => {
    const counts = [onOld({ issued: 10, failed: 4, slow: 3 }), asked(2), onOld({ issued: 50 })];
    const usual = measured(freshUsual, 1_000, ...counts);
    expect(SHARES.map((name) => usual.measured[name].issued)).toEqual([6, 100, 0]);
    expect(SHARES.map((name) => usual.measured[name].failed)).toEqual([3, 2, 0]);
    expect(measured(freshUsual, 1_000, onOld())).toBe(freshUsual);
    expect(measured(freshUsual, 1_000)).toBe(freshUsual);
  });

  test("is told as the most that it can have been, and twice that is the limit", () => {
    const usual = minute();
    const most = upperBaseline({ issued: 6_000, failed: 60, dispersion: 1 });
    const limits = limitsOf(holdAgainstUsual(usual, 0), "refused");
    expect(limits.usual).toBeCloseTo(most, 9);
    expect(limits.limit).toBeCloseTo(2 * most, 9);
    expect(isBeyondUsual(usual, "refused", 2 * most + 1e-6)).toBe(true);
    expect(isBeyondUsual(usual, "refused", 2 * most - 1e-6)).toBe(false);
    expect(isBeyondUsual(usual, "refused", limits.limit)).toBe(false);
    expect(limitsOf(usual, "refused")).toEqual({ usual: 0.5, limit: 1 });
  });

  test("is more where it comes in bursts", () => {
    const bursts = Array.from({ length: 60 }, (_, second) => second).reduce(
      (usual, second) => measured(usual, second * 1_000 + 1_500, asked(second % 10 === 0 ? 10 : 0)),
      freshUsual,
    );
    const limit = (usual: Usual): number => limitsOf(holdAgainstUsual(usual, 0), "refused").limit;
    expect(limit(bursts)).toBeGreaterThan(1.2 * limit(minute()));
  });

  test("is nothing before it was measured, and then everything is beyond it", () => {
    expect(isBeyondUsual(freshUsual, "refused", 0)).toBe(true);
    expect(limitsOf(holdAgainstUsual(freshUsual, 0), "refused")).toEqual({ usual: 0.5, limit: 1 });
  });
});

describe("what is held against a change", () => {
  test("begins with the mass of the change, in three parts", () => {
    const usual = holdAgainstUsual(minute(), 600);
    expect(SHARES.map((name) => unusualEvidence(usual, name))).toEqual([200, 200, 200]);
    expect(unusualEvidence(minute(), "refused")).toBe(0);
    expect(usual.measured).toEqual(minute().measured);
  });

  test("grows by what is beyond the limit, falls by what is not, and measures nothing", () => {
    const start = holdAgainstUsual(minute(), 600);
    const worse = held(start, 100_000, asked(50));
    expect(unusualEvidence(worse, "refused")).toBeGreaterThan(500);
    expect(unusualEvidence(held(start, 100_000, asked(0)), "refused")).toBeLessThan(200);
    expect(worse.measured).toBe(start.measured);
  });

  test("is the new side's too", () => {
    const start = holdAgainstUsual(minute(), 600);
    const fresh = held(start, 100_000, onNew({ asked: 100, refused: 50 }));
    expect(unusualEvidence(fresh, "refused")).toBe(unusualEvidence(held(start, 100_000, asked(50)), "refused"));
  });

  test("rests after a bin that counted, and each bin is worth two seconds at most", () => {
    const start = holdAgainstUsual(minute(), 0);
    const first = held(start, 100_000, asked(50));
    expect(unusualEvidence(held(first, 100_100, asked(50)), "refused")).toBe(unusualEvidence(first, "refused"));
    const of = (ms: number): number =>
      unusualEvidence(foldUsual(start, binAt(100_000, [asked(50)], ms), false), "refused");
    expect(of(2_000)).toBeCloseTo(20 * of(100), 6);
    expect(of(9_000)).toBe(of(2_000));
  });

  test("is nothing where what is usual leaves no room for more", () => {
    const often = Array.from({ length: 60 }, (_, second) => second * 1_000 + 1_500).reduce(
      (usual, at) => measured(usual, at, asked(40)),
      freshUsual,
    );
    const start = holdAgainstUsual(often, 600);
    expect(held(start, 100_000, asked(100)).since?.refused).toBe(start.since?.refused);
    expect(isBeyondUsual(often, "refused", 0)).toBe(true);
    const since = holdAgainstUsual(minute(), 600).since;
    if (since === undefined) throw new Error("nothing is held");
    const half = { ...start, since: { ...since, refused: { ...since.refused, limit: 0.5 } } };
    expect(held(half, 100_000, asked(100)).since?.refused).toBe(half.since.refused);
  });

  test("is over when it is measured again", () => {
    const start = holdAgainstUsual(minute(), 600);
    expect(measureUsual(start)).toEqual({ measured: start.measured, since: undefined });
  });
});
