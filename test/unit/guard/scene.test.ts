import { describe, expect, test } from "vitest";
import { freshFamily, type Family } from "../../../src/guard/family.ts";
import type { JudgeState } from "../../../src/guard/judge-state.ts";
import { isExplainedByLoss, isNew, isOld, isTroubled, sentence, since } from "../../../src/guard/scene.ts";
import { binAt, judged, NOW, onNew, onOld, SETTINGS, twice } from "../../fakes/judged.ts";

const everyone = (): boolean => true;
const issued = (state: JudgeState, matches = everyone): readonly number[] =>
  since(state, matches).map((count) => count.issued);

describe("both sides are told", () => {
  test("from when the new one began to fail", () => {
    const window = [
      binAt(NOW - 4_000, [onNew({ issued: 1 }), onOld({ issued: 2, failed: 2 })]),
      binAt(NOW - 1_000, [onNew({ issued: 4, failed: 4 }), onOld({ issued: 8 })]),
      binAt(NOW, [onNew({ issued: 16 }), onOld({ issued: 32 })]),
    ];
    expect(issued(judged({ window }))).toEqual([4, 8, 16, 32]);
    expect(since(judged({ window }), isOld).map((count) => count.issued)).toEqual([8, 32]);
    expect(since(judged({ window }), isNew).map((count) => count.issued)).toEqual([4, 16]);
  });

  test("from when anything began to fail, where nothing new fails, or nothing is new", () => {
    const failing = [binAt(NOW - 4_000, [onOld({ issued: 1 })]), binAt(NOW - 1_000, [onOld({ issued: 2, failed: 4 })])];
    expect(issued(judged({ window: failing, change: { kind: "none" } }))).toEqual([2]);
    expect(issued(judged({ window: failing }))).toEqual([2]);
    const both = [binAt(NOW - 1_000, [onOld({ issued: 1, failed: 1 })]), binAt(NOW, [onNew({ issued: 2, failed: 4 })])];
    expect(issued(judged({ window: both, change: { kind: "none" } }))).toEqual([1, 2]);
    expect(issued(judged({ window: both }))).toEqual([2]);
  });

  test("from the change on while fewer than four of the judged have failed", () => {
    const window = (failed: number) => [
      binAt(NOW - 8_000, [onNew({ issued: 1 })]),
      binAt(NOW - 4_900, [onNew({ issued: 2 }), onOld({ issued: 4, failed: 2 })]),
      binAt(NOW, [onNew({ issued: 8, failed }), onOld({ issued: 16, failed: 1 })]),
    ];
    expect(issued(judged({ window: window(3) }))).toEqual([2, 4, 8, 16]);
    expect(issued(judged({ window: window(4) }))).toEqual([8, 16]);
    expect(issued(judged({ window: window(3), change: { kind: "none" } }))).toEqual([8, 16]);
    expect(issued(judged({ window: window(2), change: { kind: "none" } }))).toEqual([1, 2, 4, 8, 16]);
  });

  test("from before the change when the failures are older than it", () => {
    const window = [binAt(NOW - 200, [onNew({ issued: 2, failed: 1 })]), binAt(NOW, [onNew({ issued: 4 })])];
    const change = { kind: "instances", at: NOW - 100, component: "gateway", regions: ["tokyo"] } as const;
    expect(issued(judged({ window, change }))).toEqual([2, 4]);
  });

  test("for the last second where nothing fails, and from the change", () => {
    const window = [binAt(NOW - 7_000, [onOld({ issued: 1 })]), binAt(NOW, [onOld({ issued: 2 })])];
    expect(issued(judged({ window }))).toEqual([2]);
    const change = { kind: "instances", at: NOW, component: "gateway", regions: ["tokyo"] } as const;
    const late = [binAt(NOW - 901, [onOld({ issued: 1 })]), binAt(NOW - 900, [onOld({ issued: 2 })])];
    expect(issued(judged({ window: late, change }))).toEqual([2]);
  });

  test("without regions whose servers are gone", () => {
    const window = twice(onNew({ failed: 5 }), onNew({ failed: 5, region: "frankfurt" }));
    const told = since(judged({ window, lost: [{ region: "tokyo", since: 0 }] }), everyone);
    expect(told.map(({ region }) => region)).toEqual(["frankfurt", "frankfurt"]);
  });

  test("in one sentence, which names a change of metadata", () => {
    const window = twice(onNew({ failed: 5 }), onOld({ failed: 1 }));
    expect(sentence(judged({ window }), isNew, isOld)).toBe(
      "order in tokyo on gateway@2.0: 10 of 20 failed, 2 of 20 on gateway@1.0",
    );
    const change = { kind: "metadata", at: 0, component: "orders-db", regions: [] } as const;
    expect(sentence(judged({ window, change }), isNew, () => false)).toBe(
      "order in tokyo on gateway@2.0: 10 of 20 failed after metadata orders-db",
    );
  });
});

describe("the old side is in trouble", () => {
  const old = (evidence: number): Partial<JudgeState> => {
    const family: Family = { ...freshFamily, evidence: { probes: 0, live: evidence, both: evidence } };
    const settings = { ...SETTINGS, promised: { alarm: 512, stepMass: 0 } };
    return { settings, families: { new: freshFamily, all: freshFamily, old: family } };
  };
  const side = (failed: number, all: number) => ({ failed, issued: all, unreached: 0 });

  test("by evidence of its own: the cube root of what raises an alarm", () => {
    expect(isTroubled(judged(old(8)), side(9, 9), side(0, 9))).toBe(true);
    expect(isTroubled(judged(old(7.999)), side(9, 9), side(0, 9))).toBe(false);
  });

  test("when three or more of it failed, at least a quarter as often as the new ones", () => {
    const troubled = (failed: number, all: number): boolean => isTroubled(judged(), side(8, 16), side(failed, all));
    expect(troubled(3, 24)).toBe(true);
    expect(troubled(3, 25)).toBe(false);
    expect(troubled(2, 3)).toBe(false);
  });
});

describe("what fails is explained by a loss of servers", () => {
  const explained = (lossAt: number, window = twice(onNew({ failed: 1 }))): boolean =>
    isExplainedByLoss(judged({ lossAt, window, at: NOW + 4_000 }));

  test("when it began within five seconds before or after", () => {
    const onset = NOW - 1_100;
    expect(explained(onset - 5_000)).toBe(true);
    expect(explained(onset - 5_001)).toBe(false);
    expect(explained(onset)).toBe(true);
  });

  test("or while the loss is not five seconds old, whenever it began", () => {
    const state = (lossAt: number): JudgeState =>
      judged({ lossAt, window: twice(onNew({ failed: 1 })), at: NOW + 60_000 });
    expect(isExplainedByLoss(state(NOW + 55_000))).toBe(true);
    expect(isExplainedByLoss(state(NOW + 54_999))).toBe(false);
    expect(isExplainedByLoss(state(NOW - 1_100 + 5_001))).toBe(false);
    expect(isExplainedByLoss(state(NOW - 1_100 + 5_000))).toBe(true);
  });

  test("not without a loss, and what fails nowhere began now", () => {
    expect(explained(-Infinity)).toBe(false);
    expect(explained(NOW - 1_000, [])).toBe(true);
    expect(explained(NOW - 1_001, [])).toBe(false);
  });
});
