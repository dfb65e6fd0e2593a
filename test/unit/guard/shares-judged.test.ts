import { describe, expect, test } from "vitest";
import { freshComparison, SHARES, type Comparison, type ShareName } from "../../../src/guard/comparison.ts";
import type { Count } from "../../../src/guard/count.ts";
import { freshSigns } from "../../../src/guard/detector/signs.ts";
import type { JudgeState, Latch } from "../../../src/guard/judge-state.ts";
import { noteShares } from "../../../src/guard/shares.ts";
import { foldUsual, freshUsual, holdAgainstUsual, type Usual } from "../../../src/guard/usual.ts";
import { binAt, judged, NOW, onNew, onOld, twice } from "../../fakes/judged.ts";

const ALARM = 5_184_000;
const metadata = { kind: "metadata", at: NOW - 5_000, component: "orders-db", regions: [] } as const;
const passes = (state: JudgeState): boolean => noteShares(state) === state;
/** Evidence that the new side has more of these; the shares divide one promise among three. */
const worse = (names: readonly ShareName[], evidence = ALARM): Comparison => {
  const stream = { ...freshSigns, mixture: freshSigns.mixture.map(() => 3 * evidence) };
  const more = Object.fromEntries(names.map((name) => [name, stream]));
  return { ...freshComparison, streams: { ...freshComparison.streams, ...more } };
};
const refused = (share: number): Partial<Count> => ({ asked: 20, refused: share });
/** A minute in which two in a thousand are refused. */
const minute = (): Usual =>
  Array.from({ length: 60 }, (_, second) => second * 1_000 + 1_500).reduce(
    (usual, at) => foldUsual(usual, binAt(at, [onOld({ asked: 1_000, refused: 2 })]), true),
    freshUsual,
  );
const LATCHES: readonly Latch[] = [
  { kind: "unproved", since: 0, reason: "", regions: [] },
  { kind: "disturbed", since: 0, reason: "", regions: [] },
];

describe("new against old", () => {
  const seen = (more: Partial<JudgeState> = {}): JudgeState =>
    judged({
      comparison: worse(["refused"]),
      window: twice(onNew(refused(6)), onOld(refused(1))),
      ...more,
    });

  test("is failing with both shares told, by as much evidence as was promised", () => {
    expect(noteShares(seen()).latch).toEqual({
      kind: "failing",
      since: NOW,
      regions: ["tokyo"],
      reason: "order in tokyo: 12 of 40 were refused on gateway@2.0, 2 of 40 on gateway@1.0",
    });
    expect(passes(seen({ comparison: worse(["refused"], ALARM - 1) }))).toBe(true);
    expect(passes(seen({ comparison: freshComparison }))).toBe(true);
  });

  test("is failing whatever was said before, except that it fails already", () => {
    for (const latch of LATCHES) expect(noteShares(seen({ latch })).latch?.kind).toBe("failing");
    expect(passes(seen({ latch: { kind: "failing", since: 0, reason: "", regions: [] } }))).toBe(true);
  });

  test("is told by the first share that alarms, in its own words and places", () => {
    const counts = {
      slow: [onNew({ slow: 6 }), onOld({ slow: 1 })],
      refused: [onNew(refused(6)), onOld(refused(1))],
      lost: [onNew({ asked: 20, lost: 6 }), onOld({ asked: 20, lost: 1 })],
    };
    const told = (name: ShareName): string | undefined =>
      noteShares(seen({ comparison: worse([name]), window: twice(...counts[name]) })).latch?.reason;
    expect(SHARES.map(told)).toEqual([
      "order in tokyo: 12 of 20 were slower than the plan allows on gateway@2.0, 2 of 20 on gateway@1.0",
      "order in tokyo: 12 of 40 were refused on gateway@2.0, 2 of 40 on gateway@1.0",
      "order in tokyo: 12 of 40 were refused because the order is not known on gateway@2.0, 2 of 40 on gateway@1.0",
    ]);
    const all = [onNew({ ...refused(6), lost: 6 }), onOld({ ...refused(1), lost: 1 })];
    expect(noteShares(seen({ comparison: worse(["lost", "refused"]), window: twice(...all) })).latch?.reason).toMatch(
      /were refused on/,
    );
  });

  test("names operations and regions of the new side that are hit, each once", () => {
    const window = twice(
      onNew({ ...refused(6), operation: "cancel" }),
      onNew({ ...refused(6), region: "frankfurt" }),
      onNew({ ...refused(0), operation: "amend", region: "osaka" }),
      onOld(refused(1)),
      onOld({ ...refused(1), operation: "amend", region: "frankfurt" }),
      onOld({ ...refused(1), region: "osaka" }),
    );
    const { latch } = noteShares(seen({ window }));
    expect(latch?.regions).toEqual(["frankfurt", "tokyo"]);
    expect(latch?.reason).toBe(
      "cancel and order in frankfurt and tokyo: 24 of 120 were refused on gateway@2.0, 6 of 120 on gateway@1.0",
    );
  });

  test("is told from what came after the change, of sources that can tell", () => {
    const change = { kind: "instances", at: NOW - 100, component: "gateway", regions: [] } as const;
    const old = [onNew({ release: "gateway@3.0" }), onOld({ release: "gateway@0.9" })];
    const window = [binAt(NOW - 1, [onNew(refused(9))]), binAt(NOW, [onNew(refused(6)), onOld(refused(1)), ...old])];
    expect(noteShares(seen({ change, window })).latch?.reason).toBe(
      "order in tokyo: 6 of 20 were refused on gateway@2.0, 1 of 20 on gateway@1.0",
    );
  });

  test("is no reason when the new side does not have more now", () => {
    expect(passes(seen({ window: twice(onNew(refused(1)), onOld(refused(1))) }))).toBe(true);
    expect(passes(seen({ window: twice(onNew(refused(1)), onOld(refused(2))) }))).toBe(true);
  });

  test("is no reason while it is not beyond what was usual", () => {
    // At most 0.26 % was usual, and twice that is the limit.
    const usual = minute();
    const window = (share: number) =>
      twice(onNew({ asked: 1_000, refused: share }), onOld({ asked: 1_000, refused: 1 }));
    expect(passes(seen({ usual, window: window(5) }))).toBe(true);
    expect(noteShares(seen({ usual, window: window(9) })).latch?.kind).toBe("failing");
  });

  test("is no reason while servers are gone or have just gone, nor without a change", () => {
    expect(passes(seen({ lost: [{ region: "osaka", since: 0 }] }))).toBe(true);
    expect(passes(seen({ lossAt: NOW }))).toBe(true);
    expect(passes(seen({ change: { kind: "none" } }))).toBe(true);
  });
});

describe("after metadata", () => {
  /** Evidence that each share is more than usual. Only refusals were measured before. */
  const held = (evidence: number): Usual => holdAgainstUsual(minute(), 3 * evidence);
  const seen = (more: Partial<JudgeState> = {}): JudgeState =>
    judged({ change: metadata, usual: held(ALARM), window: twice(onNew(refused(6)), onOld(refused(6))), ...more });

  test("is failing, and what was usual is told", () => {
    expect(noteShares(seen()).latch).toEqual({
      kind: "failing",
      since: NOW,
      regions: ["tokyo"],
      reason:
        "order in tokyo: 24 of 80 were refused after metadata orders-db; 0.26 % is the most that was usual before it",
    });
    expect(passes(seen({ usual: held(ALARM - 1) }))).toBe(true);
    expect(passes(seen({ usual: minute() }))).toBe(true);
  });

  test("is no reason when it is within the limit now", () => {
    const share = (of1000: number) => ({ window: twice(onOld({ asked: 1_000, refused: of1000 })) });
    expect(passes(seen(share(5)))).toBe(true);
    expect(noteShares(seen(share(6))).latch?.kind).toBe("failing");
    const usual = held(ALARM);
    const { since } = usual;
    if (since === undefined) throw new Error("nothing is held against what was usual");
    const quarter = { ...usual, since: { ...since, refused: { ...since.refused, limit: 0.25 } } };
    expect(passes(seen({ usual: quarter, ...share(250) }))).toBe(true);
    expect(noteShares(seen({ usual: quarter, ...share(251) })).latch?.kind).toBe("failing");
  });

  test("is told from what came after the change", () => {
    const change = { ...metadata, at: NOW - 100 };
    const window = [binAt(NOW - 1, [onOld(refused(20))]), binAt(NOW, [onOld({ asked: 1_000, refused: 4 })])];
    expect(passes(seen({ change, window }))).toBe(true);
  });

  test("is no reason while servers go, and nothing new where it fails already", () => {
    expect(passes(seen({ lossAt: NOW }))).toBe(true);
    expect(passes(seen({ latch: { kind: "failing", since: 0, reason: "", regions: [] } }))).toBe(true);
  });
});

describe("a share that was told long ago", () => {
  test("does not hide what another tells now", () => {
    const window = twice(onNew({ ...refused(6), slow: 1 }), onOld({ ...refused(1), slow: 1 }));
    const state = judged({ comparison: worse(["slow", "refused"]), window });
    expect(noteShares(state).latch?.reason).toMatch(/^order in tokyo: 12 of 40 were refused on/);
  });

  test("does not hide it after metadata either", () => {
    const measured = Array.from({ length: 60 }, (_, second) => second * 1_000 + 1_500).reduce(
      (usual, at) => foldUsual(usual, binAt(at, [onOld({ issued: 1_000, slow: 2, asked: 1_000, refused: 2 })]), true),
      freshUsual,
    );
    const window = twice(onOld({ ...refused(6), slow: 0 }));
    const state = judged({ change: metadata, usual: holdAgainstUsual(measured, 3 * ALARM), window });
    expect(noteShares(state).latch?.reason).toMatch(/^order in tokyo: 12 of 40 were refused after metadata/);
  });
});
