import { describe, expect, test } from "vitest";
import { comparisonEvidence, freshComparison } from "../../../src/guard/comparison.ts";
import type { Count, CountBin } from "../../../src/guard/count.ts";
import { freshFamily } from "../../../src/guard/family.ts";
import { gather } from "../../../src/guard/gather.ts";
import type { FamilyName, JudgeState, Latch, MarkCause } from "../../../src/guard/judge-state.ts";
import { noContact } from "../../../src/guard/loss.ts";
import { freshEvidence } from "../../../src/guard/strata.ts";
import { alarmed, binAt, judged, NEW, NOW, OLD, onNew, onOld, SETTINGS } from "../../fakes/judged.ts";

const evidenceOf = (state: JudgeState): Readonly<Record<FamilyName, number>> => ({
  new: state.families.new.evidence.both,
  old: state.families.old.evidence.both,
  all: state.families.all.evidence.both,
});
const mark = (state: JudgeState, cause: MarkCause): JudgeState => gather(state, { kind: "mark", at: state.at, cause });
const instances: MarkCause = { kind: "instances", component: "gateway", regions: ["tokyo"] };
const metadata: MarkCause = { kind: "metadata", component: "orders-db" };
const latched = (kind: "unproved" | "disturbed" | "failing"): Latch => ({
  kind,
  since: 1,
  reason: "orders fail",
  regions: ["tokyo"],
});
const suspect: Latch = { kind: "suspect", since: 1, reason: "orders fail", regions: ["tokyo"], sources: ["live"] };
const clearing = { probes: freshEvidence(0), live: freshEvidence(0) };
/** A guard that holds something against everybody. */
const loaded = (more: Partial<JudgeState> = {}): JudgeState => {
  const family = alarmed(onOld());
  const compared = gather(judged(), binAt(NOW, [onNew({ failed: 5 }), onOld()])).comparison;
  return judged({ families: { new: family, old: family, all: family }, comparison: compared, ...more });
};

describe("a bin", () => {
  const both = [onNew({ failed: 5 }), onOld()];
  const seen = (state: JudgeState, bin: CountBin): JudgeState => gather(state, bin);

  test("is held against its own side and against everybody", () => {
    const state = seen(judged(), binAt(NOW, both));
    const { new: fresh, old, all } = evidenceOf(state);
    expect(fresh).toBeGreaterThan(all);
    expect(all).toBeGreaterThan(old);
    expect(old).toBeCloseTo(0.06475, 6);
    expect(comparisonEvidence(state.comparison)).toBeGreaterThan(1);
    expect(state.window).toEqual([binAt(NOW, both)]);
    const nobody = seen(judged(), binAt(NOW, [onOld({ side: "unknown", failed: 5 })]));
    expect(evidenceOf(nobody)).toMatchObject({ new: 0, old: 0 });
    expect(evidenceOf(nobody).all).toBeGreaterThan(1);
  });

  test("is held against nobody where servers are gone, nor compared there", () => {
    const state = seen(judged({ lost: [{ region: "tokyo", since: 0 }] }), binAt(NOW, both));
    expect(evidenceOf(state)).toEqual({ new: 0, old: 0, all: 0 });
    expect(comparisonEvidence(state.comparison)).toBe(0);
    const elsewhere = seen(judged({ lost: [{ region: "frankfurt", since: 0 }] }), binAt(NOW, both));
    expect(evidenceOf(elsewhere).new).toBeGreaterThan(1);
    expect(comparisonEvidence(elsewhere.comparison)).toBeGreaterThan(1);
  });

  test("from before everything was taken back is held against nobody", () => {
    const late = seen(judged({ backAt: NOW - 99 }), binAt(NOW, both));
    expect(evidenceOf(late)).toEqual({ new: 0, old: 0, all: 0 });
    expect(late.comparison).toBe(freshComparison);
    const after = seen(judged({ backAt: NOW - 100 }), binAt(NOW, both));
    expect(evidenceOf(after).new).toBeGreaterThan(1);
    expect(comparisonEvidence(after.comparison)).toBeGreaterThan(1);
  });

  test("tells when a place was last heard of: by probes, where there are probes", () => {
    const counts = [
      onOld({ source: "probes" }),
      onOld({ operation: "amend" }),
      onOld({ source: "probes", region: "frankfurt", issued: 0 }),
    ];
    const known = { lastOutcome: { "cancel in tokyo": 5 } };
    expect(seen(judged(known), binAt(NOW, counts)).lastOutcome).toEqual({
      "cancel in tokyo": 5,
      "order in tokyo": NOW,
    });
    const settings = { ...SETTINGS, probed: [] };
    expect(seen(judged({ ...known, settings }), binAt(NOW, counts)).lastOutcome).toEqual({
      "cancel in tokyo": 5,
      "order in tokyo": NOW,
      "amend in tokyo": NOW,
    });
    const silent = judged(known);
    expect(seen(silent, binAt(NOW, [onOld()])).lastOutcome).toBe(silent.lastOutcome);
  });

  test("is read by source, operation, region and release", () => {
    const counts = [
      onOld(),
      onOld({ failed: 2 }),
      onNew(),
      onOld({ source: "probes" }),
      onOld({ operation: "amend" }),
      onOld({ region: "frankfurt" }),
    ];
    const state = seen(seen(judged(), binAt(NOW - 100, counts)), binAt(NOW, [onOld({ issued: 1, failed: 1 })]));
    expect([...state.readings.values()].map(({ issued, failed }) => [issued, failed])).toEqual([
      [21, 3],
      [10, 0],
      [10, 0],
      [10, 0],
      [10, 0],
    ]);
    expect([...state.readings.values()][0]).toEqual({
      operation: "order",
      region: "tokyo",
      release: "gateway@1.0",
      source: "live",
      issued: 21,
      failed: 3,
      state: "healthy",
    });
    expect(seen(state, binAt(NOW, [])).readings).toBe(state.readings);
  });

  test("spends the budget by what users lost, not by what probes lost on the same counters", () => {
    const spent = (...counts: readonly Count[]): JudgeState["spent"] =>
      seen(judged({ spent: { fresh: 10, all: 100 } }), binAt(NOW, counts)).spent;
    expect(spent(onNew({ failed: 3 }), onOld({ failed: 4 }))).toEqual({ fresh: 13, all: 107 });
    expect(spent(onNew({ source: "probes", failed: 3, unreached: 1 }))).toEqual({ fresh: 8, all: 98 });
    expect(spent(onOld({ source: "probes", failed: 3 }))).toEqual({ fresh: 10, all: 97 });
  });

  test("is evidence of health; where health has to be shown, failures put it back to nothing", () => {
    const sample = (more: Partial<JudgeState>) =>
      seen(judged(more), binAt(NOW, [onOld({ failed: 5 })])).evidence.samples["order in tokyo"];
    expect(sample({})).toEqual({ issued: 10, failed: 5, probed: 0 });
    expect(sample({ latch: latched("disturbed") })).toEqual({ issued: 0, failed: 0, probed: 0 });
  });

  test("clears a suspicion by outcomes of new instances, also of such that users do not reach, if probes reach them", () => {
    const dark = { isExposed: false };
    const counts = [
      onOld({ issued: 1 }),
      onNew({ ...dark, issued: 2 }),
      onNew({ ...dark, issued: 4, source: "probes" }),
      onNew({ issued: 8 }),
      onOld({ issued: 16, source: "probes" }),
    ];
    const state = seen(judged({ clearing }), binAt(NOW, counts));
    expect(state.clearing?.probes.samples["order in tokyo"]).toEqual({ issued: 4, failed: 0, probed: 4 });
    expect(state.clearing?.live.samples["order in tokyo"]).toEqual({ issued: 8, failed: 0, probed: 0 });
    const failing = seen(state, binAt(NOW, [onNew({ failed: 5 }), onNew({ failed: 5, source: "probes" })]));
    expect(failing.clearing?.live.samples["order in tokyo"]?.issued).toBe(0);
    expect(failing.clearing?.probes.samples["order in tokyo"]?.issued).toBe(0);
    expect(seen(judged(), binAt(NOW, counts)).clearing).toBeUndefined();
  });

  test("of probes tells who is in contact", () => {
    expect(seen(judged(), binAt(NOW, [onOld({ source: "probes" })])).contact.probes).toEqual({
      tokyo: { ok: NOW - 100, failed: 0 },
    });
  });

  test("tells what is usual after the last change, where no server is gone and health stands or is open", () => {
    const refusing = [onOld({ asked: 20, refused: 1 })];
    const measured = (more: Partial<JudgeState>): number =>
      seen(judged({ change: { kind: "none" }, ...more }), binAt(NOW, refusing)).usual.measured.refused.issued;
    expect(measured({})).toBe(20);
    expect(measured({ latch: latched("unproved") })).toBe(20);
    expect(measured({ latch: latched("disturbed") })).toBe(0);
    expect(measured({ lost: [{ region: "frankfurt", since: 0 }] })).toBe(0);
    expect(measured({ backAt: NOW - 100 })).toBe(20);
    expect(measured({ backAt: NOW - 99 })).toBe(0);
    const change = (at: number) => ({ kind: "instances", at, component: "gateway", regions: [] }) as const;
    expect(measured({ change: change(NOW - 100) })).toBe(20);
    expect(measured({ change: change(NOW - 99) })).toBe(0);
    expect(measured({ change: change(NOW - 99), backAt: NOW - 500 })).toBe(0);
  });
});

test("the baseline is measured before the first change, where no server is gone, and never after", () => {
  const measured = (more: Partial<JudgeState>): number | undefined => {
    const state = judged({ change: { kind: "none" }, ...more });
    return gather(state, binAt(NOW, [onOld()])).baseline["order in tokyo"]?.issued;
  };
  expect(measured({})).toBe(10);
  expect(measured({ change: judged().change })).toBeUndefined();
  expect(measured({ backAt: 0 })).toBeUndefined();
  expect(measured({ change: judged().change, backAt: 0 })).toBeUndefined();
  expect(measured({ lost: [{ region: "frankfurt", since: 0 }] })).toBeUndefined();
});

describe("what is told", () => {
  test("of time changes nothing", () => {
    const state = judged();
    expect(gather(state, { kind: "tick", at: NOW })).toBe(state);
  });

  test("of silence is remembered by place", () => {
    const state = judged({ silence: { "amend in tokyo": { at: 1, why: "limited" } } });
    const input = { kind: "silent", at: NOW, operation: "order", region: "tokyo", why: "refused" } as const;
    expect(gather(state, input).silence).toEqual({
      "amend in tokyo": { at: 1, why: "limited" },
      "order in tokyo": { at: NOW, why: "refused" },
    });
  });

  test("of who can be reached is remembered", () => {
    const state = gather(judged(), { kind: "reach", at: NOW, gone: ["tokyo-1"], unreadable: [] });
    expect(state.contact).toEqual({ ...noContact, at: NOW, goneSince: { "tokyo-1": NOW } });
  });

  test("of instances forgets what was held against new ones when none is left, and that alone", () => {
    const gone = gather(loaded(), { kind: "instances", at: NOW, instances: [OLD] });
    expect(gone.instances).toEqual([OLD]);
    expect(evidenceOf(gone).new).toBe(0);
    expect(evidenceOf(gone).old).toBeGreaterThan(1);
    expect(evidenceOf(gone).all).toBeGreaterThan(1);
    expect(gone.comparison).toBe(freshComparison);
    const before = loaded();
    const still = gather(before, { kind: "instances", at: NOW, instances: [OLD, NEW] });
    expect(still).toEqual({ ...before, instances: [OLD, NEW] });
  });
});

describe("a mark", () => {
  const before = {
    evidence: { since: 0, samples: { x: { issued: 1, failed: 0, probed: 0 } } },
    spent: { fresh: 9, all: 9 },
  };

  test("asks for evidence of health again, and nothing else when nothing was changed", () => {
    const state = loaded({ ...before, latch: suspect, clearing });
    const read = gather(state, binAt(NOW, [onOld()]));
    expect(read.readings.size).toBe(1);
    expect(mark({ ...state, readings: read.readings }, { kind: "start" })).toEqual({
      ...state,
      evidence: freshEvidence(NOW),
      readings: new Map(),
    });
  });

  test("of instances lets suspicion concentrate on the new ones and on being worse", () => {
    const state = mark(loaded({ ...before, latch: suspect, clearing, steps: [1] }), instances);
    expect(state.change).toEqual({ kind: "instances", at: NOW, component: "gateway", regions: ["tokyo"] });
    expect(state.families.new.step).toMatchObject({ at: NOW, mass: 12_960 });
    expect(state.families.all.step.mass).toBe(0);
    expect(state.comparison.step).toEqual({ at: NOW, mass: 12_960 });
    expect(comparisonEvidence(state.comparison)).toBeGreaterThan(1);
    expect(state.steps).toEqual([1, NOW]);
    expect(state.spent).toEqual({ fresh: 0, all: 0 });
    expect(state.evidence).toEqual(freshEvidence(NOW));
    expect(state.latch).toBe(suspect);
    expect(state.clearing).toBe(clearing);
    expect(state.usual.since).toBeUndefined();
  });

  test("of metadata lets it concentrate on everybody, and what was worse before is over", () => {
    const state = mark(loaded({ clearing }), metadata);
    expect(state.change).toEqual({ kind: "metadata", at: NOW, component: "orders-db", regions: [] });
    expect(state.families.all.step).toMatchObject({ at: NOW, mass: 12_960 });
    expect(state.families.new.step.mass).toBe(0);
    expect(state.comparison).toBe(freshComparison);
    expect(state.clearing).toBeUndefined();
    expect(state.usual.since?.slow.bins.mixture[0]).toBe(12_960);
  });

  test("of what stands behind those that users meet is as one of metadata, and says of what", () => {
    const behind: MarkCause = { kind: "behind", component: "prices", what: "new instances of prices" };
    const at = { kind: "metadata", at: NOW, regions: [] };
    expect(mark(loaded(), behind).change).toStrictEqual({
      ...at,
      component: "prices",
      what: "new instances of prices",
    });
    expect(mark(loaded(), metadata).change).toStrictEqual({ ...at, component: "orders-db" });
    expect(mark(loaded(), behind).families.all.step.mass).toBe(12_960);
  });

  test("brings its mass two hundred times in thirty days, and then none", () => {
    const month = 30 * 86_400_000;
    const massWith = (steps: readonly number[]): number =>
      mark(judged({ at: month, steps }), instances).families.new.step.mass;
    const many = (count: number, at: number): readonly number[] => Array.from({ length: count }, () => at);
    expect(massWith(many(199, 1))).toBe(12_960);
    expect(massWith(many(200, 1))).toBe(0);
    expect(massWith(many(200, 0))).toBe(12_960);
    expect(mark(judged({ at: month, steps: [0, 1] }), instances).steps).toEqual([1, month]);
  });

  test("ends a failure, and metadata ends a suspicion: health has to be shown anew", () => {
    const reason = "no evidence of health yet since the last change (before it: orders fail)";
    const unproved = { kind: "unproved", since: NOW, regions: [], reason };
    const failed = mark(loaded({ latch: latched("failing"), clearing }), instances);
    expect(failed.latch).toEqual(unproved);
    expect(failed.clearing).toBeUndefined();
    expect(comparisonEvidence(failed.comparison)).toBe(0);
    expect(mark(loaded({ latch: suspect }), metadata).latch).toEqual(unproved);
    expect(mark(loaded({ latch: latched("failing") }), metadata).latch).toEqual(unproved);
    for (const latch of [latched("disturbed"), latched("unproved"), undefined])
      expect(mark(loaded({ latch }), metadata).latch).toBe(latch);
  });
});

describe("when everything is taken back", () => {
  const back = (more: Partial<JudgeState> = {}): JudgeState =>
    mark(
      loaded({
        latch: suspect,
        clearing,
        spent: { fresh: 9, all: 9 },
        pending: { since: 0, crossed: ["new"], sources: [] },
        ...more,
      }),
      { kind: "back" },
    );

  test("nothing is held against anybody any more", () => {
    const state = back();
    expect(state.change).toEqual({ kind: "none" });
    expect(state.backAt).toBe(NOW);
    expect(state.families).toEqual({ new: freshFamily, old: freshFamily, all: freshFamily });
    expect(state.spent).toEqual({ fresh: 0, all: 0 });
    expect(state.comparison).toBe(freshComparison);
    expect(state.clearing).toBeUndefined();
    expect(state.pending).toBeUndefined();
    expect(state.evidence).toEqual(freshEvidence(NOW));
    expect(mark(mark(judged(), metadata), { kind: "back" }).usual.since).toBeUndefined();
  });

  test("health has to be shown, unless everything is disturbed", () => {
    expect(back().latch).toEqual({
      kind: "unproved",
      since: NOW,
      regions: [],
      reason: "no evidence of health yet since everything was taken back (before it: orders fail)",
    });
    expect(back({ latch: undefined }).latch?.reason).toBe("no evidence of health yet since everything was taken back");
    const disturbed = latched("disturbed");
    expect(back({ latch: disturbed }).latch).toBe(disturbed);
  });
});
