import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Count } from "../../../src/guard/count.ts";
import {
  foldFamily,
  freshFamily,
  resetFamily,
  restMsAfter,
  stepFamily,
  sumsOf,
  type Family,
} from "../../../src/guard/family.ts";
import { binAt, onOld } from "../../fakes/judged.ts";

const fold = (family: Family, at: number, counts: readonly Count[], ms = 100): Family =>
  foldFamily(family, binAt(at, counts, ms), sumsOf(counts), 0.001);
const evidence = (family: Family): number => family.evidence.both;
/** What one bin of 100 ms says that fails wholly. */
const TOTAL = 35.3148;
const dead = onOld({ failed: 10 });

describe("evidence of one side", () => {
  test("begins with nothing, and a bin without outcomes adds nothing", () => {
    expect(evidence(freshFamily)).toBe(0);
    expect(fold(freshFamily, 1_000, [])).toBe(freshFamily);
    expect(fold(freshFamily, 1_000, [onOld({ issued: 0 })])).toBe(freshFamily);
  });

  test("adds up the counts of a stream in one bin", () => {
    const halves = [onOld({ issued: 5, failed: 1 }), onOld({ issued: 5, failed: 0 }), onOld({ issued: 0, failed: 9 })];
    expect(fold(freshFamily, 1_000, halves)).toEqual(fold(freshFamily, 1_000, [onOld({ failed: 1 })]));
  });

  test("is that of a single stream where there is one", () => {
    expect(fold(freshFamily, 1_000, [dead]).evidence).toEqual({
      probes: 0,
      live: expect.closeTo(TOTAL, 3) as number,
      both: expect.closeTo(TOTAL, 3) as number,
    });
    expect(fold(freshFamily, 1_000, [{ ...dead, source: "probes" }]).evidence).toEqual({
      probes: expect.closeTo(TOTAL, 3) as number,
      live: 0,
      both: expect.closeTo(TOTAL, 3) as number,
    });
  });

  test("is the mean of both sources, and tells who saw it", () => {
    const well = onOld({ source: "probes" });
    const { probes, live, both } = fold(freshFamily, 1_000, [dead, well]).evidence;
    expect(live).toBeCloseTo(TOTAL / 2, 3);
    expect(probes).toBeCloseTo(0.06475 / 2, 5);
    expect(both).toBe(probes + live);
    const turned = fold(freshFamily, 1_000, [onOld(), { ...dead, source: "probes" }]).evidence;
    expect([turned.probes, turned.live]).toEqual([live, probes]);
  });

  test("mixes four levels: everything, operation in region, cohort, and cohort in region", () => {
    // A failing tenth, and nine well ones that share nothing with it but what each level throws together.
    const of = (other: Partial<Count>): number =>
      evidence(fold(freshFamily, 1_000, [dead, onOld({ ...other, issued: 90 })]));
    const [one, well] = [TOTAL, 0.06475];
    const pooled = evidence(fold(freshFamily, 1_000, [onOld({ issued: 100, failed: 10 })]));
    const mean = (one + well) / 2;
    expect(of({ operation: "amend" })).toBeCloseTo((pooled + mean + pooled + pooled) / 4, 3);
    expect(of({ cohort: "shard-2" })).toBeCloseTo((pooled + pooled + mean + mean) / 4, 3);
    expect(of({ region: "frankfurt" })).toBeCloseTo((pooled + mean + pooled + mean) / 4, 3);
  });

  test("does not depend on the order of its strata", () => {
    const anyCount = fc
      .record({
        operation: fc.constantFrom("order", "amend", "cancel"),
        region: fc.constantFrom("tokyo", "frankfurt"),
        cohort: fc.constantFrom("shard-1", "shard-2", "shard-3"),
        source: fc.constantFrom("probes", "live"),
        issued: fc.integer({ min: 0, max: 30 }),
        failed: fc.integer({ min: 0, max: 30 }),
      })
      .map(({ failed, issued, ...more }): Count => onOld({ ...more, issued, failed: Math.min(failed, issued) }));
    const holds = fc.property(fc.array(fc.array(anyCount), { maxLength: 5 }), (bins) => {
      const [one, other] = [bins, bins.map((counts) => counts.toReversed())].map((order) =>
        evidence(order.reduce((family, counts, index) => fold(family, index * 1_000 + 1_000, counts), freshFamily)),
      );
      expect(Math.abs((one ?? NaN) - (other ?? NaN))).toBeLessThanOrEqual(1e-9 * (one ?? NaN));
    });
    fc.assert(holds, { numRuns: 50 });
  });

  test("never falls by a failure more, whichever stream it is in", () => {
    const holds = fc.property(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 }),
      fc.nat({ max: 2 }),
      (failures, which) => {
        const of = (counts: readonly number[]): number =>
          evidence(
            fold(
              freshFamily,
              1_000,
              counts.map((failed, index) => onOld({ cohort: `shard-${index}`, failed })),
            ),
          );
        const more = failures.map((failed, index) => (index === which ? failed + 1 : failed));
        expect(of(more)).toBeGreaterThanOrEqual(of(failures));
      },
    );
    fc.assert(holds);
  });

  test("stays a number through a week of bins in which a thousand million operations fail", () => {
    const huge = onOld({ issued: 1e9, failed: 1e9 });
    let family = freshFamily;
    for (let day = 0; day < 7; day++)
      for (let bin = 1; bin <= 300; bin++) family = fold(family, day * 86_400_000 + bin * 1_000, [huge]);
    expect(evidence(family)).toBeGreaterThan(5_184_000);
    expect(Number.isFinite(evidence(family))).toBe(true);
  });

  test("rests in the bin after a failing one", () => {
    const first = fold(freshFamily, 1_000, [dead]);
    const second = fold(first, 1_100, [dead]);
    expect(evidence(second)).toBe(evidence(first));
    expect(evidence(fold(second, 1_200, [dead]))).toBeGreaterThan(50 * evidence(first));
    // A burst may last as long beyond the bin's edge, however short the bins are.
    const short = [1_020, 1_040, 1_060, 1_080].reduce((family, at) => fold(family, at, [dead], 20), first);
    expect(evidence(short)).toBe(evidence(first));
    expect(evidence(fold(short, 1_100, [dead], 20))).toBeGreaterThan(50 * evidence(first));
  });

  test("rests longer after a short bin, which a burst fills more of", () => {
    expect([20, 49, 50, 100].map(restMsAfter)).toEqual([225, 225, 100, 100]);
  });

  test("rests until the end of the rest is reached, and no longer for a bin that overlaps it", () => {
    const first = fold(freshFamily, 1_000, [dead]);
    const second = fold(first, 1_100, [dead]);
    expect(evidence(fold(second, 1_150, [dead]))).toBeGreaterThan(50 * evidence(first));
  });

  test("rests on where an alarm came in between", () => {
    const reset = resetFamily(fold(freshFamily, 1_000, [dead]));
    expect(evidence(fold(reset, 1_100, [dead]))).toBe(0);
    expect(evidence(fold(reset, 1_200, [dead]))).toBeGreaterThan(1);
  });

  test("is worth two seconds a bin at most", () => {
    const of = (ms: number): number => evidence(fold(freshFamily, 10_000, [dead], ms));
    expect(of(2_000)).toBeCloseTo(20 * TOTAL, 2);
    expect(of(9_000)).toBe(of(2_000));
  });
});

describe("suspicion concentrates on a step", () => {
  /** What 100 ms and this mass come to in a bin without failures. */
  const clean = (mass: number): number => 0.6475 * (0.1 + mass);
  const stepped = stepFamily(freshFamily, 1_000, 600);
  const well = [onOld()];

  test("half of its mass at once, all of it within 30 s", () => {
    const of = (ms: number): number => evidence(fold(stepped, 1_000 + ms, well));
    expect(of(0)).toBeCloseTo(clean(300), 6);
    expect(of(15_000)).toBeCloseTo(clean(450), 6);
    expect(of(30_000)).toBeCloseTo(clean(600), 6);
    expect(of(90_000)).toBeCloseTo(clean(600), 6);
    expect(evidence(fold(stepped, 999, well))).toBeCloseTo(clean(0), 6);
  });

  test("once: a later bin brings what is due since, and nothing when all was given", () => {
    const gained = (from: number, to: number): number => {
      const before = fold(stepped, 1_000 + from, well);
      const plain = { ...before, step: { ...before.step, mass: 0 } };
      return evidence(fold(before, 1_000 + to, well)) - evidence(fold(plain, 1_000 + to, well));
    };
    expect(gained(0, 15_000)).toBeCloseTo(0.6475 * 150, 6);
    expect(gained(30_000, 31_000)).toBeCloseTo(0, 6);
  });

  test("and each step brings its own", () => {
    const before = fold(stepped, 40_000, well);
    const next = stepFamily(before, 50_000, 60);
    const gained = evidence(fold(next, 50_000, well)) - evidence(fold(before, 50_000, well));
    expect(gained).toBeCloseTo(0.6475 * 30, 6);
    expect(next.streams).toBe(before.streams);
  });

  test("and waits for the bin after one that rests", () => {
    const failed = fold(freshFamily, 900, [dead]);
    const rested = fold(stepFamily(failed, 1_000, 600), 1_000, well);
    expect(evidence(rested)).toBe(evidence(failed));
    expect(evidence(fold(rested, 1_100, well))).toBeGreaterThan(clean(300));
  });

  test("but an alarm has spent it", () => {
    const reset = resetFamily(fold(stepped, 1_000, [dead]));
    expect(evidence(reset)).toBe(0);
    expect(evidence(fold(reset, 2_000, well))).toBeCloseTo(clean(0), 6);
    expect(reset.step.number).toBe(stepped.step.number + 1);
    expect(stepFamily(reset, 3_000, 60).step).toEqual({ number: 3, at: 3_000, mass: 60 });
  });
});
