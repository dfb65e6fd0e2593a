import { describe, expect, test } from "vitest";
import { freshComparison, type Comparison } from "../../../src/guard/comparison.ts";
import type { Source } from "../../../src/guard/count.ts";
import { freshSigns } from "../../../src/guard/detector/signs.ts";
import type { JudgeState, Latch } from "../../../src/guard/judge-state.ts";
import { freshEvidence, type Evidence } from "../../../src/guard/strata.ts";
import { noteBudget, noteDeadline, noteSigns } from "../../../src/guard/suspicion.ts";
import { binAt, GUARD, judged, NOW, OLD, onNew, onOld, SETTINGS, twice } from "../../fakes/judged.ts";

const metadata = { kind: "metadata", at: NOW - 5_000, component: "orders-db", regions: [] } as const;
const suspect = {
  kind: "suspect",
  since: NOW - 2_000,
  reason: "orders fail",
  regions: ["tokyo"],
  sources: ["probes"],
} as const satisfies Latch;
const other = (kind: "unproved" | "disturbed" | "failing"): Latch => ({ kind, since: 0, reason: "", regions: [] });
/** Nothing that this stage does: the very same state. */
const passes = (stage: (state: JudgeState) => JudgeState, state: JudgeState): boolean => stage(state) === state;

describe("new worse than old", () => {
  const worse = (evidence: number): Comparison => {
    const probes = { ...freshSigns, mixture: freshSigns.mixture.map(() => evidence) };
    return { ...freshComparison, streams: { ...freshComparison.streams, probes } };
  };
  const ALARM = 5_184_000;
  const seen = (more: Partial<JudgeState> = {}): JudgeState =>
    judged({ latch: suspect, window: twice(onNew({ failed: 5 }), onOld()), comparison: worse(ALARM), ...more });

  test("is failing once suspected, by as much evidence as was promised", () => {
    expect(noteSigns(seen()).latch).toEqual({
      kind: "failing",
      since: NOW,
      regions: ["tokyo"],
      reason: "order in tokyo on gateway@2.0: 10 of 20 failed, 0 of 20 on gateway@1.0",
    });
    expect(passes(noteSigns, seen({ comparison: worse(ALARM - 1) }))).toBe(true);
  });

  test("is failing by a hundredth of it where the alarm came twice, the old side is watched as well, and is quiet", () => {
    const twiceAlarmed = (more: Partial<JudgeState> = {}): JudgeState =>
      seen({ latch: { ...suspect, isRepeated: true }, comparison: worse(ALARM / 100), ...more });
    expect(noteSigns(twiceAlarmed()).latch?.kind).toBe("failing");
    expect(passes(noteSigns, twiceAlarmed({ latch: suspect }))).toBe(true);
    expect(passes(noteSigns, twiceAlarmed({ comparison: worse(ALARM / 100 - 1) }))).toBe(true);
    const watched = (issued: number) => twice(onNew({ failed: 5 }), onOld({ issued }));
    expect(noteSigns(twiceAlarmed({ window: watched(8) })).latch?.kind).toBe("failing");
    expect(passes(noteSigns, twiceAlarmed({ window: watched(7) }))).toBe(true);
  });

  test("is failing also while everything is disturbed", () => {
    expect(noteSigns(seen({ latch: other("disturbed") })).latch?.kind).toBe("failing");
  });

  test("alone is no reason: nobody suspects, nothing new is there, or nothing new fails", () => {
    const cases: readonly Partial<JudgeState>[] = [
      { latch: undefined },
      { latch: other("unproved") },
      { latch: other("failing") },
      { change: metadata },
      { change: { kind: "none" } },
      { window: twice(onNew(), onOld({ failed: 5 })) },
    ];
    expect(cases.filter((more) => !passes(noteSigns, seen(more)))).toEqual([]);
  });

  test("is no reason while servers are gone or have just gone", () => {
    expect(passes(noteSigns, seen({ lost: [{ region: "frankfurt", since: 0 }] }))).toBe(true);
    expect(passes(noteSigns, seen({ lossAt: NOW }))).toBe(true);
  });
});

describe("the budget of failed user operations", () => {
  const spent = (fresh: number, all: number, more: Partial<JudgeState> = {}): JudgeState =>
    judged({
      settings: { ...SETTINGS, budget: 50 },
      spent: { fresh, all },
      window: twice(onNew({ failed: 5 }), onOld({ failed: 1 })),
      ...more,
    });

  test("may be spent by new instances, not overspent", () => {
    expect(passes(noteBudget, spent(50, 1_000))).toBe(true);
    expect(noteBudget(spent(51, 51)).latch).toEqual({
      kind: "failing",
      since: NOW,
      regions: ["tokyo"],
      reason:
        "51 user operations failed since gateway was changed, more than the 50 allowed: order in tokyo on gateway@2.0: 10 of 20 failed, 2 of 20 on gateway@1.0",
    });
  });

  test("is spent by everybody after metadata", () => {
    const windows = { window: twice(onNew({ failed: 5 }), onOld({ failed: 5 })), change: metadata };
    expect(noteBudget(spent(0, 51, windows)).latch).toMatchObject({
      kind: "failing",
      reason: expect.stringMatching(
        /^51 user operations failed since orders-db was changed.*: order in tokyo on gateway@1\.0 and gateway@2\.0: 20 of 40 failed/,
      ) as string,
    });
    expect(passes(noteBudget, spent(51, 50, windows))).toBe(true);
  });

  test("is not held against new instances while the old ones fail more than half as often", () => {
    const window = (failed: number) => ({ window: twice(onNew({ failed: 4 }), onOld({ failed })) });
    expect(noteBudget(spent(51, 51, window(2))).latch?.kind).toBe("failing");
    expect(passes(noteBudget, spent(51, 51, window(3)))).toBe(true);
  });

  test("is not counted where nothing was changed, where it fails already, and while servers are gone", () => {
    expect(passes(noteBudget, spent(99, 99, { change: { kind: "none" } }))).toBe(true);
    expect(passes(noteBudget, spent(99, 99, { latch: other("failing") }))).toBe(true);
    expect(passes(noteBudget, spent(99, 99, { lost: [{ region: "tokyo", since: 0 }] }))).toBe(true);
    expect(noteBudget(spent(99, 99, { latch: suspect })).latch?.kind).toBe("failing");
  });
});

describe("a suspicion", () => {
  const clean: Evidence = {
    since: 0,
    samples: Object.fromEntries(
      GUARD.operations.map((operation) => [`${operation} in tokyo`, { issued: 45, failed: 0, probed: 0 }]),
    ),
  };
  const clearing = { probes: clean, live: freshEvidence(0) };
  const suspected = (more: Partial<JudgeState> = {}): JudgeState =>
    judged({
      latch: suspect,
      clearing: { probes: freshEvidence(0), live: freshEvidence(0) },
      window: twice(onNew({ failed: 5 }), onOld()),
      ...more,
    });

  test("stands when no new instance is left, because who was taken away shows no health", () => {
    const overdue = { ...suspect, since: NOW - 10_000 };
    for (const instances of [[OLD], []]) {
      expect(passes(noteDeadline, suspected({ instances }))).toBe(true);
      expect(noteDeadline(suspected({ instances, latch: overdue })).latch?.kind).toBe("failing");
    }
  });

  test("clears by evidence from whoever raised it, in the regions it is about", () => {
    expect(noteDeadline(suspected({ clearing })).latch).toMatchObject({
      kind: "unproved",
      reason: "the suspicion has cleared; no evidence of health yet",
    });
    expect(noteDeadline(suspected({ clearing: { probes: clean, live: clean } })).clearing).toBeUndefined();
  });

  test("does not clear while one of those who raised it has not seen enough", () => {
    const kept = (...sources: readonly Source[]): boolean =>
      passes(noteDeadline, suspected({ clearing, latch: { ...suspect, sources } }));
    expect(kept("probes", "live")).toBe(true);
    expect(kept("live")).toBe(true);
    expect(kept()).toBe(true);
    expect(kept("probes")).toBe(false);
    const both = { ...suspect, regions: ["tokyo", "frankfurt"] };
    expect(passes(noteDeadline, suspected({ clearing, latch: both }))).toBe(true);
    expect(passes(noteDeadline, suspected({ clearing: undefined }))).toBe(true);
  });

  test("is certain when it has not cleared in ten seconds", () => {
    const since = (ago: number): Partial<JudgeState> => ({ latch: { ...suspect, since: NOW - ago } });
    expect(passes(noteDeadline, suspected(since(9_999)))).toBe(true);
    expect(noteDeadline(suspected(since(10_000))).latch).toEqual({
      kind: "failing",
      since: NOW,
      regions: ["tokyo"],
      reason: "orders fail; it has not cleared within 10 s",
    });
  });

  test("that the old release shares is a disturbance by then", () => {
    const window = [binAt(NOW, [onNew({ failed: 5 }), onOld({ failed: 5 })])];
    expect(noteDeadline(suspected({ latch: { ...suspect, since: 0 }, window })).latch).toEqual({
      kind: "disturbed",
      since: NOW,
      regions: ["tokyo"],
      reason: "orders fail: the old release is in trouble too",
    });
  });

  test("has to be there", () => {
    for (const latch of [undefined, other("failing"), other("disturbed"), other("unproved")])
      expect(passes(noteDeadline, suspected({ latch, instances: [] }))).toBe(true);
  });
});
