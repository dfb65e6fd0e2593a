import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  comparisonEvidence,
  foldComparison,
  freshComparison,
  shareAmong,
  shareEvidence,
  SHARES,
  sharesOf,
  stepComparison,
  suspectComparison,
  type Comparison,
  type ShareName,
} from "../../../src/guard/comparison.ts";
import type { Count } from "../../../src/guard/count.ts";
import { evidenceIn } from "../../../src/guard/detector/mixture.ts";
import { promisedBy } from "../../../src/guard/detector/promise.ts";
import { binAt, onNew, onOld, SETTINGS } from "../../fakes/judged.ts";

const { p0, promised } = SETTINGS;
const fold = (counts: readonly Count[], comparison: Comparison = freshComparison, ms = 100, at = 1_000): Comparison =>
  foldComparison(comparison, binAt(at, counts, ms), p0);
/** Ten outcomes a side and bin of 100 ms stand for 5.073 s of health when exactly one side fails; a failing side tells 1.5498 of it. */
const SIGN_SEC = 0.1 / (2 * (1 - 0.999 ** 10) * 0.999 ** 10);
const TOLD = 1.5498;

describe("new and old are compared", () => {
  test("source by source: what only probes see is half of the evidence", () => {
    const failing = { failed: 10 };
    const probes = [onNew({ ...failing, source: "probes" }), onOld({ source: "probes" })];
    const live = [onNew(failing), onOld()];
    expect(comparisonEvidence(fold(probes))).toBeCloseTo((SIGN_SEC * TOLD) / 2, 9);
    expect(comparisonEvidence(fold(live))).toBeCloseTo((SIGN_SEC * TOLD) / 2, 9);
    expect(comparisonEvidence(fold([...probes, ...live]))).toBeCloseTo(SIGN_SEC * TOLD, 9);
    expect(fold(probes).streams.live).toBe(freshComparison.streams.live);
    expect(fold(live).streams.probes).toBe(freshComparison.streams.probes);
  });

  test("and a bin is worth two seconds at most, however late it comes", () => {
    const counts = [onNew({ failed: 10 }), onOld()];
    const at = (ms: number): number => comparisonEvidence(fold(counts, freshComparison, ms, 10_000));
    expect(at(2_000)).toBeCloseTo((20 * SIGN_SEC * TOLD) / 2, 6);
    expect(at(9_000)).toBe(at(2_000));
  });

  test("in the regions where both are", () => {
    const far = onOld({ region: "frankfurt", failed: 10 });
    const lone = onNew({ region: "osaka", failed: 10 });
    const near = [onNew({ failed: 10 }), onOld()];
    expect(fold([...near, far])).toEqual(fold(near));
    expect(fold([...near, lone])).toEqual(fold(near));
  });

  test("anywhere, where they are in different ones", () => {
    const far = onOld({ region: "frankfurt" });
    expect(fold([onNew({ failed: 10 }), far])).toEqual(fold([onNew({ failed: 10 }), onOld()]));
  });

  test("only when something new was there, and then also by the bin that follows", () => {
    expect(fold([onOld({ failed: 5 })])).toBe(freshComparison);
    expect(fold([])).toBe(freshComparison);
    expect(fold([onNew({ issued: 0 }), onOld({ issued: 0 })]).streams).toEqual(freshComparison.streams);
    const first = fold([onNew({ failed: 10 }), onOld()]);
    // The next bin rests, the one after it counts.
    const second = fold([onNew({ failed: 10 }), onOld()], first, 100, 1_100);
    expect(comparisonEvidence(second)).toBe(comparisonEvidence(first));
    const third = fold([onNew({ failed: 10 }), onOld()], second, 100, 1_200);
    expect(comparisonEvidence(third)).toBeGreaterThan(2 * comparisonEvidence(first));
  });

  test("whichever order the counts come in", () => {
    const anyCount = fc
      .record({
        isNew: fc.boolean(),
        source: fc.constantFrom("probes", "live"),
        region: fc.constantFrom("tokyo", "frankfurt"),
        failed: fc.integer({ min: 0, max: 10 }),
        refused: fc.integer({ min: 0, max: 10 }),
      })
      .map(({ isNew, ...more }): Count => (isNew ? onNew : onOld)({ ...more, asked: 20 }));
    const holds = fc.property(fc.array(anyCount), (counts) => {
      expect(fold(counts.toReversed())).toEqual(fold(counts));
    });
    fc.assert(holds);
  });
});

describe("who sees more has three quarters of the promise, the other the rest", () => {
  const bin = [
    onNew({ source: "probes", issued: 20 }),
    onOld({ source: "probes", issued: 30 }),
    onNew({ issued: 20 }),
    onOld({ issued: 5 }),
  ];

  test("by the operations on the smaller side, added up", () => {
    const first = fold(bin);
    expect(first.paired).toEqual({ probes: 20, live: 5 });
    expect(fold(bin, first, 100, 1_100).paired).toEqual({ probes: 40, live: 10 });
  });

  test.each([
    { paired: { probes: 2, live: 1 }, probes: 0.75, live: 0.25 },
    { paired: { probes: 1, live: 2 }, probes: 0.25, live: 0.75 },
    { paired: { probes: 2, live: 2 }, probes: 0.5, live: 0.5 },
  ])("$paired: probes $probes, users $live", ({ paired, probes, live }) => {
    const stepped = fold([onOld()], stepComparison({ ...freshComparison, paired }, 1_000, 600));
    expect(evidenceIn(stepped.streams.probes.mixture)).toBeCloseTo(300 * probes, 9);
    expect(evidenceIn(stepped.streams.live.mixture)).toBeCloseTo(300 * live, 9);
  });
});

test("a bin in which nothing was counted ends no rest", () => {
  const failing = fold([onNew({ failed: 10, asked: 10, refused: 6 }), onOld({ asked: 10, refused: 1 })]);
  const nothing = [onNew({ issued: 0, asked: 0, refused: 0 }), onOld({ issued: 0, asked: 0, refused: 0 })];
  expect(failing.streams.live.restUntil).toBe(1_075);
  expect(failing.streams.refused.restUntil).toBe(1_075);
  expect(fold(nothing, failing, 100, 1_100).streams).toEqual(failing.streams);
});

describe("shares are compared", () => {
  const twenty = { issued: 0, asked: 20 };

  test("among those that could have been: successes that may be slow, and whoever asked and may be refused", () => {
    const counts = [onNew({ issued: 10, failed: 4, slow: 3, asked: 12, refused: 2, lost: 1 })];
    expect(SHARES.map((name) => shareAmong(name, counts))).toEqual([
      { issued: 6, failed: 3 },
      { issued: 12, failed: 2 },
      { issued: 12, failed: 1 },
    ]);
    expect(SHARES.map((name) => shareAmong(name, [...counts, ...counts, onNew({ failed: 2 })]))).toEqual([
      { issued: 20, failed: 6 },
      { issued: 24, failed: 4 },
      { issued: 24, failed: 2 },
    ]);
  });

  test("from sources that can tell, in regions where both are", () => {
    const counts = [
      onNew({ ...twenty, refused: 6 }),
      onNew({ ...twenty, refused: 9, region: "osaka" }),
      onNew({ asked: 20 }),
      onOld({ ...twenty, refused: 1 }),
      onOld({ ...twenty, refused: 9, region: "frankfurt" }),
      onOld({ asked: 20 }),
    ];
    expect(sharesOf("refused", counts)).toEqual([
      { issued: 20, failed: 6 },
      { issued: 20, failed: 1 },
    ]);
    expect(sharesOf("lost", counts)).toEqual([
      { issued: 0, failed: 0 },
      { issued: 0, failed: 0 },
    ]);
  });

  test.each(SHARES)(
    "%s: one side has more in a bin, each bin stands for its own seconds, and three divide the promise",
    (name) => {
      const more = (share: number): Pick<Count, "issued" | "asked" | ShareName> => ({
        issued: 20,
        asked: 20,
        [name]: share,
      });
      const folded = fold([onNew(more(6)), onOld(more(1))]);
      expect(shareEvidence(folded, name)).toBeCloseTo((0.1 * TOLD) / 3, 9);
      for (const other of SHARES.filter((share) => share !== name)) expect(shareEvidence(folded, other)).toBe(0);
      expect(comparisonEvidence(folded)).toBe(0);
      const less = fold([onNew(more(1)), onOld(more(6))]);
      expect(shareEvidence(less, name)).toBeCloseTo((0.1 * (2 - TOLD)) / 3, 9);
    },
  );

  test("also in a bin that another source shares, which cannot tell", () => {
    const counts = [onNew({ ...twenty, refused: 6 }), onOld({ ...twenty, refused: 1 })];
    const others = [onNew({ source: "probes" }), onOld({ source: "probes" })];
    expect(shareEvidence(fold([...counts, ...others]), "refused")).toBe(shareEvidence(fold(counts), "refused"));
    expect(shareEvidence(fold(counts), "refused")).toBeGreaterThan(0);
  });

  test("not where nothing was asked", () => {
    const counts = [onNew({ issued: 0, asked: 0, refused: 0 }), onOld({ issued: 0, asked: 0, refused: 0 })];
    expect(fold(counts).streams).toEqual(freshComparison.streams);
  });

  test("for as many seconds as the bin is worth", () => {
    const counts = [onNew({ ...twenty, refused: 6 }), onOld({ ...twenty, refused: 1 })];
    expect(shareEvidence(fold(counts, freshComparison, 2_000, 10_000), "refused")).toBeCloseTo((2 * TOLD) / 3, 9);
    expect(shareEvidence(fold(counts, freshComparison, 9_000, 10_000), "refused")).toBeCloseTo((2 * TOLD) / 3, 9);
  });
});

describe("suspicion concentrates on a change", () => {
  const stepped = stepComparison(freshComparison, 1_000, 600);
  const after = (ms: number, comparison: Comparison = stepped): Comparison =>
    fold([onOld()], comparison, 100, 1_000 + ms);

  test("half of its mass at once, all of it within 30 s, in each stream, once", () => {
    expect([0, 15_000, 30_000, 90_000].map((ms) => comparisonEvidence(after(ms)))).toEqual([300, 450, 600, 600]);
    expect(SHARES.map((name) => shareEvidence(after(30_000), name))).toEqual([200, 200, 200]);
    expect(comparisonEvidence(after(30_000, after(15_000, after(0))))).toBe(600);
    expect(after(40_000, after(30_000))).toEqual(after(30_000));
  });

  test("and on the next one anew, beside what is known", () => {
    const next = stepComparison(after(30_000), 100_000, 60);
    expect(comparisonEvidence(fold([onOld()], next, 100, 100_000))).toBe(630);
  });

  test("and grows by an alarm of the new side alone: as much as one in five hundred alarms is luck", () => {
    const { alarm } = promisedBy(30 * 86_400);
    const suspected = suspectComparison(freshComparison, 1_000, promised);
    expect(comparisonEvidence(suspected)).toBe(alarm / 500);
    expect(SHARES.map((name) => shareEvidence(suspected, name))).toEqual([0, 0, 0]);
    expect(suspectComparison(suspected, 2_000, promised)).toBe(suspected);
  });

  test("once: what a step has brought already is part of it", () => {
    const suspected = suspectComparison(stepped, 1_000, promised);
    expect(comparisonEvidence(suspected)).toBeCloseTo(promised.alarm / 500, 6);
    const large = stepComparison(freshComparison, 1_000, 30_000);
    expect(comparisonEvidence(suspectComparison(large, 1_000, promised))).toBe(15_000);
  });
});
