import { describe, expect, test } from "vitest";
import type { CountBin } from "../../../src/guard/count.ts";
import { lowerBaseline, upperBaseline } from "../../../src/guard/detector/baseline.ts";
import { betterBaselineOf, contradictionOf, foldBaseline, type Baseline } from "../../../src/guard/stated.ts";

type Second = { readonly issued: number; readonly failed: number };

const measured = (seconds: readonly Second[], more: Partial<CountBin["counts"][number]> = {}): Baseline =>
  seconds.reduce<Baseline>((baseline, { issued, failed }, index) => {
    const place = {
      operation: "amend",
      region: "tokyo",
      release: "r",
      side: "old",
      cohort: "c",
      source: "live",
    } as const;
    const bin: CountBin = {
      kind: "bin",
      at: 1_000 + index * 1_000,
      ms: 1_000,
      counts: [{ ...place, issued, failed, ...more }],
    };
    return foldBaseline(baseline, bin, ["tokyo"]);
  }, {});
const evenly = (seconds: number, issued: number, failedEvery: number): readonly Second[] =>
  Array.from({ length: seconds }, (_, index) => ({ issued, failed: index % failedEvery === 0 ? 1 : 0 }));

describe("what is measured before the first change", () => {
  test("contradicts the stated baseline where it is worse for certain, and says where, with counts", () => {
    const baseline = measured(evenly(60, 164, 2));
    expect(contradictionOf(baseline, 0.1)).toBe(
      "amend in tokyo: 30 of 9840 failed, 0.3 % where at most 0.1 % is stated",
    );
    expect(contradictionOf(baseline, 0.5)).toBeUndefined();
  });

  test("contradicts nothing by a burst: many failures at once are few events", () => {
    const burst = evenly(60, 164, 1).map(({ issued }, index) => ({ issued, failed: index === 7 ? 30 : 0 }));
    expect(contradictionOf(measured(burst), 0.1)).toBeUndefined();
  });

  test("contradicts nothing by a few outcomes, or by none", () => {
    expect(contradictionOf(measured([{ issued: 40, failed: 1 }]), 0.1)).toBeUndefined();
    expect(contradictionOf(measured([]), 0.1)).toBeUndefined();
  });

  test("of new instances, or seen by another source, is not what was there", () => {
    const seconds = evenly(60, 164, 2);
    expect(contradictionOf(measured(seconds, { side: "new" }), 0.1)).toBeUndefined();
    expect(contradictionOf(measured(seconds, { source: "probes" }), 0.1)).toBeUndefined();
    // Where nobody counts users, probes stand for them.
    const elsewhere = { region: "frankfurt", source: "probes" } as const;
    expect(contradictionOf(measured(seconds, elsewhere), 0.1)).toMatch(/^amend in frankfurt: /);
  });

  test("suggests a better baseline when certainly less than half of the stated one fails, and never one below what is known", () => {
    const baseline = measured(evenly(600, 100, 300));
    const advice = betterBaselineOf(baseline, 0.1) ?? "";
    expect(advice).toMatch(/^2 of 60000 failed, at most 0\.\d+ % of any operation with 99\.9 % confidence/);
    const [, suggested] = /atMost: ([\d.]+)%/.exec(advice) ?? [];
    expect(Number(suggested) / 100).toBeGreaterThanOrEqual(upperBaseline({ issued: 60_000, failed: 2, dispersion: 1 }));
    expect(contradictionOf(baseline, Number(suggested))).toBeUndefined();
  });

  test("contradicts at the worst of all places, whichever is told first", () => {
    const [bad, worse] = [
      measured(evenly(60, 164, 2)),
      measured(evenly(60, 164, 1), { region: "osaka", source: "probes" }),
    ];
    for (const baseline of [
      { ...bad, ...worse },
      { ...worse, ...bad },
    ])
      expect(contradictionOf(baseline, 0.1)).toMatch(/^amend in osaka: 60 of 9840 failed/);
    expect(
      contradictionOf(measured(evenly(60, 164, 99).map(({ issued }) => ({ issued, failed: 0 }))), 0),
    ).toBeUndefined();
  });

  test("suggests nothing while one place may be worse than that, or all of them are hardly better", () => {
    const [good, short] = [
      measured(evenly(600, 100, 300)),
      measured(evenly(20, 100, 1_000), { region: "osaka", source: "probes" }),
    ];
    expect(betterBaselineOf({ ...good, ...short }, 0.1)).toBeUndefined();
    const bound = upperBaseline({ issued: 60_000, failed: 2, dispersion: 1 });
    expect(betterBaselineOf(good, bound * 201)).toBeDefined();
    expect(betterBaselineOf(good, bound * 199)).toBeUndefined();
  });

  test("suggests two digits, rounded up", () => {
    const baseline = measured(evenly(600, 100, 300));
    const bound = upperBaseline({ issued: 60_000, failed: 2, dispersion: 1 }) * 100;
    const suggested = Number(/atMost: ([\d.]+)%/.exec(betterBaselineOf(baseline, 0.1) ?? "")?.[1]);
    expect(bound).toBeGreaterThan(0.01);
    expect(suggested).toBeCloseTo(Math.ceil(bound * 1_000) / 1_000, 9);
  });

  test("suggests no less than one in a hundred thousand, and that as it stands", () => {
    const baseline = measured([{ issued: 1_000_000, failed: 0 }]);
    expect(betterBaselineOf(baseline, 0.002)).toMatch(/atMost: 0\.001% }/);
    expect(betterBaselineOf(baseline, 0.0019)).toBeUndefined();
  });

  test("stays as it is by a bin that says nothing of it", () => {
    const baseline = measured(evenly(2, 10, 1));
    const bin: CountBin = { kind: "bin", at: 9_000, ms: 1_000, counts: [] };
    expect(foldBaseline(baseline, bin, ["tokyo"])).toBe(baseline);
  });

  test("suggests nothing when it was counted too shortly", () => {
    expect(betterBaselineOf(measured(evenly(20, 100, 1_000)), 0.1)).toBeUndefined();
    expect(betterBaselineOf({}, 0.1)).toBeUndefined();
  });
});

describe("the lower bound of a failure rate", () => {
  test("is 0 without failures, and below what was seen otherwise", () => {
    expect(lowerBaseline({ issued: 1_000, failed: 0, dispersion: 1 })).toBe(0);
    expect(lowerBaseline({ issued: 0, failed: 0, dispersion: 1 })).toBe(0);
    for (const failed of [1, 5, 50, 999])
      expect(lowerBaseline({ issued: 1_000, failed, dispersion: 1 })).toBeLessThan(failed / 1_000);
  });

  test("is exact where it can be written down: all of n failed", () => {
    for (const issued of [1, 10, 500])
      expect(lowerBaseline({ issued, failed: issued, dispersion: 1 })).toBeCloseTo(0.0001 ** (1 / issued), 9);
  });

  test("takes a burst for one outcome, and is never raised by failures that lie evenly", () => {
    expect(lowerBaseline({ issued: 50, failed: 50, dispersion: 5 })).toBeCloseTo(0.0001 ** (1 / 10), 9);
    for (const dispersion of [0, 0.5, NaN])
      expect(lowerBaseline({ issued: 10, failed: 10, dispersion })).toBeCloseTo(0.0001 ** (1 / 10), 9);
  });

  test("is lower when failures come in bursts", () => {
    const how = { issued: 10_000, failed: 60 };
    expect(lowerBaseline({ ...how, dispersion: 5 })).toBeLessThan(lowerBaseline({ ...how, dispersion: 1 }) / 2);
  });
});
