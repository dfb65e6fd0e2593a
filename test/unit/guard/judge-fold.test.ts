import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  baselineAdvice,
  evidenceMissing,
  isTroubledNow,
  judge,
  provenBy,
  readingsOf,
  settingsOf,
  startJudging,
  type JudgeInput,
  type JudgeState,
} from "../../../src/guard/judge.ts";
import type { Latch } from "../../../src/guard/judge-state.ts";
import { rejudge, startRejudging } from "../../../src/guard/recording.ts";
import { measure, NOTHING_MEASURED } from "../../../src/guard/measuring.ts";
import { freshEvidence } from "../../../src/guard/strata.ts";
import { binAt, GUARD, judged, NEW, NOW, OLD, onNew, onOld, SETTINGS, twice } from "../../fakes/judged.ts";

const latched = (kind: "unproved" | "disturbed" | "failing", regions: readonly string[] = []): Latch => ({
  kind,
  since: NOW,
  reason: "orders fail",
  regions,
});
const need = { excludePct: 10, confidencePct: 99 };
const STRATA = SETTINGS.strata.map(({ operation, region }) => `${operation} in ${region}`);
/** Nothing is missing: every place was heard of now, and has shown its health. */
const well = (more: Partial<JudgeState> = {}): JudgeState =>
  judged({
    instances: [OLD],
    lastOutcome: Object.fromEntries(STRATA.map((name) => [name, NOW])),
    evidence: {
      since: 0,
      samples: Object.fromEntries(STRATA.map((name) => [name, { issued: 100, failed: 0, probed: 1 }])),
    },
    ...more,
  });
const play = (state: JudgeState, ...inputs: readonly JudgeInput[]): JudgeState =>
  inputs.reduce((soFar, input) => judge(soFar, input).state, state);

describe("a verdict", () => {
  test("is the same object while state and regions stay", () => {
    const first = judge(well(), { kind: "tick", at: NOW });
    expect(first.verdict).toEqual({
      state: "healthy",
      reason: "operations succeed in every region",
      regions: [],
      at: NOW,
      streams: [],
    });
    expect(first.state.verdict).toBe(first.verdict);
    expect(judge(first.state, { kind: "tick", at: NOW + 500 }).verdict).toBe(first.verdict);
  });

  test("is said again when its regions change, or its state", () => {
    const of = (latch: Latch): JudgeState => ({ ...well(), latch });
    const said = judge(of(latched("failing", ["tokyo"])), { kind: "tick", at: NOW }).state;
    expect(said.verdict).toMatchObject({ state: "failing", reason: "orders fail", regions: ["tokyo"] });
    const same = { ...said, latch: { ...latched("failing", ["tokyo"]), reason: "more orders fail" } };
    expect(judge(same, { kind: "tick", at: NOW }).verdict).toBe(said.verdict);
    const wider = { ...said, latch: latched("failing", ["frankfurt", "tokyo"]) };
    expect(judge(wider, { kind: "tick", at: NOW }).verdict.regions).toEqual(["frankfurt", "tokyo"]);
    const milder = { ...said, latch: latched("unproved", ["tokyo"]), evidence: freshEvidence(NOW) };
    expect(judge(milder, { kind: "tick", at: NOW }).verdict.state).toBe("unknown");
  });

  test("is never older than what was told before", () => {
    const state = well();
    expect(judge(state, { kind: "tick", at: NOW - 5_000 }).state.at).toBe(NOW);
    expect(judge(state, { kind: "tick", at: NOW + 5 }).state.at).toBe(NOW + 5);
  });

  test("tells the streams behind it", () => {
    const { verdict } = judge({ ...well(), latch: latched("failing", ["tokyo"]) }, binAt(NOW, [onOld({ failed: 5 })]));
    expect(verdict.streams).toEqual([
      {
        operation: "order",
        region: "tokyo",
        release: "gateway@1.0",
        source: "live",
        issued: 10,
        failed: 5,
        state: "failing",
      },
    ]);
  });

  test("of an hour of nothing is unknown, and evidence stands where it stood", () => {
    const before = play(well(), binAt(NOW, [onOld({ failed: 1 })]));
    const ticks = Array.from({ length: 3_600 }, (_, index) => ({ kind: "tick", at: NOW + index * 1_000 }) as const);
    const after = play(before, ...ticks);
    expect(after.verdict.state).toBe("unknown");
    expect(after.families).toBe(before.families);
    expect(after.comparison).toBe(before.comparison);
  });

  test("of bins without outcomes is that of no bins at all", () => {
    const empty = fc.record({
      at: fc.integer({ min: 0, max: 2_000 }),
      ms: fc.integer({ min: 1, max: 5_000 }),
      zeros: fc.nat({ max: 2 }),
    });
    const holds = fc.property(fc.array(empty), (bins) => {
      const inputs = bins
        .toSorted((a, b) => a.at - b.at)
        .map(({ at, ms, zeros }) =>
          binAt(
            NOW + at,
            Array.from({ length: zeros }, () => onNew({ issued: 0 })),
            ms,
          ),
        );
      const ticks = inputs.map(({ at }) => ({ kind: "tick", at }) as const);
      const [told, ticked] = [play(well(), ...inputs), play(well(), ...ticks)];
      expect(told.verdict.state).toBe(ticked.verdict.state);
      expect(told.families.new.evidence.both).toBe(0);
      expect(told.comparison.streams).toEqual(ticked.comparison.streams);
    });
    fc.assert(holds, { numRuns: 40 });
  });

  test("does not depend on the order in which a bin lists its counts", () => {
    const anyCount = fc
      .record({
        isNew: fc.boolean(),
        operation: fc.constantFrom("order", "amend", "cancel"),
        region: fc.constantFrom("tokyo", "frankfurt"),
        source: fc.constantFrom("probes", "live"),
        failed: fc.integer({ min: 0, max: 10 }),
      })
      .map(({ isNew, ...more }) => (isNew ? onNew : onOld)(more));
    const holds = fc.property(fc.array(fc.array(anyCount, { maxLength: 12 }), { maxLength: 12 }), (bins) => {
      const told = [bins, bins.map((counts) => counts.toReversed())].map((order) => {
        const state = play(
          well({ instances: [NEW, OLD] }),
          ...order.map((counts, index) => binAt(NOW + index * 300, counts)),
        );
        return [state.verdict.state, state.verdict.regions];
      });
      expect(told[1]).toEqual(told[0]);
    });
    fc.assert(holds, { numRuns: 60 });
  });

  test("of three bins in which everything new fails is suspect, and one of huge counts is a verdict like any other", () => {
    for (const issued of [10, 1e9, Number.MAX_SAFE_INTEGER]) {
      const counts = [onNew({ issued, failed: issued }), onOld({ issued })];
      const bins = [0, 1_000, 2_000].map((later) => binAt(NOW + later, counts));
      const state = play(well({ instances: [NEW, OLD], settings: { ...SETTINGS, hasCounters: false } }), ...bins);
      expect(state.verdict.state).toBe("suspect");
    }
  });
});

test("another reason why nothing is proved is news only where users cannot be seen", () => {
  const unproved = (reason: string, more: object = {}): Latch => ({ ...latched("unproved"), reason, ...more });
  const told = (state: JudgeState, latch: Latch) => judge({ ...state, latch }, { kind: "tick", at: NOW });
  const said = well({ evidence: freshEvidence(NOW) });
  expect(said.verdict).toMatchObject({ state: "unknown", reason: "no evidence of health yet" });
  expect(told(said, unproved("silent for 2 s")).verdict).toBe(said.verdict);
  expect(told(said, unproved("silent for 2 s", { isBlind: false })).verdict).toBe(said.verdict);
  expect(told(said, unproved(said.verdict.reason, { isBlind: true })).verdict).toBe(said.verdict);
  expect(told(said, unproved("keys are refused", { isBlind: true })).verdict.reason).toBe("keys are refused");
});

describe("health that was asked for", () => {
  const place = (failed: number) => ({
    "order in tokyo": measure(NOTHING_MEASURED, { issued: 100_000, failed }, NOW - 60_000),
  });
  const bare =
    "failure rates of 10 % and more are excluded with 99 % in every region and operation, on 600 outcomes since the last change";
  const before = (more: Partial<JudgeState> = {}): JudgeState => well({ change: { kind: "none" }, ...more });

  test("is told with the outcomes that show it, each counted once, and the streams", () => {
    const state = play(before(), binAt(NOW, [onNew()]));
    expect(provenBy(state, need)).toStrictEqual({
      state: "healthy",
      regions: [],
      at: NOW,
      streams: readingsOf(state),
      reason: bare.replace("600", "610"),
    });
    expect(readingsOf(state)).toHaveLength(1);
    expect(provenBy(before({ evidence: freshEvidence(NOW) }), need).reason).toContain("on 0 outcomes");
  });

  test("is told with what was measured before the first change, and not once something was changed or taken back", () => {
    const better =
      /^2 of 100000 failed, at most 0\.012 % of any operation with 99\.9 % confidence, where 0\.1 % is stated/;
    const state = before({ baseline: place(2) });
    const [told, advice] = provenBy(state, need).reason.split("; before the first change ");
    expect(told).toBe(bare);
    expect(advice).toMatch(better);
    expect(baselineAdvice(state)).toBe(advice);
    expect(provenBy({ ...state, change: judged().change }, need).reason).toBe(bare);
    expect(provenBy({ ...state, backAt: NOW }, need).reason).toBe(bare);
  });

  test("tells that the stated baseline does not hold, as does every verdict, before the first change alone", () => {
    const state = before({ baseline: place(500) });
    const contradicts = "order in tokyo: 500 of 100000 failed, 0.5 % where at most 0.1 % is stated";
    expect(provenBy(state, need)).toMatchObject({ reason: bare, contradicts });
    expect(baselineAdvice(state)).toBe(contradicts);
    expect(baselineAdvice(before())).toBeUndefined();
    const verdict = (more: Partial<JudgeState>) => judge({ ...state, ...more }, { kind: "tick", at: NOW }).verdict;
    expect(verdict({})).toMatchObject({ state: "healthy", contradicts });
    for (const more of [{ baseline: {} }, { change: judged().change }, { backAt: NOW }])
      expect(Object.keys(verdict(more))).not.toContain("contradicts");
  });
});

describe("what is missing until health is shown", () => {
  test("is what stands in its way", () => {
    expect(evidenceMissing(well({ latch: latched("disturbed") }), need)).toBe("orders fail");
    expect(evidenceMissing(well(), need)).toBeUndefined();
    expect(evidenceMissing(well({ evidence: freshEvidence(0) }), need)).toBe("order in tokyo (0 of 0 failed since)");
  });

  test("are probes, where there are any", () => {
    const samples = { ...well().evidence.samples, "order in tokyo": { issued: 100, failed: 0, probed: 0 } };
    const state = well({ evidence: { since: 0, samples } });
    expect(evidenceMissing(state, need)).toBe("order in tokyo (0 of 100 failed since)");
    expect(evidenceMissing({ ...state, settings: { ...SETTINGS, probed: [] } }, need)).toBeUndefined();
  });

  test("is more for a smaller rate", () => {
    expect(evidenceMissing(well(), { excludePct: 1, confidencePct: 99 })).toBe(
      "order in tokyo (0 of 100 failed since)",
    );
  });
});

describe("trouble elsewhere, while an instance is proved", () => {
  const troubled = (failed: number, issued: number, more: Partial<JudgeState> = {}): boolean =>
    isTroubledNow(judged({ window: [binAt(NOW, [onOld({ failed, issued })])], ...more }));

  test("are three failures and a tenth of all", () => {
    expect(troubled(3, 30)).toBe(true);
    expect(troubled(3, 31)).toBe(false);
    expect(troubled(2, 2)).toBe(false);
  });

  test("are those of the last second and a half, and not of new instances", () => {
    const bins = (ago: number, fresh = onNew({ failed: 9 })) => ({
      window: [binAt(NOW - ago, [onOld({ failed: 9 }), fresh])],
    });
    expect(isTroubledNow(judged(bins(1_400)))).toBe(true);
    expect(isTroubledNow(judged(bins(1_401)))).toBe(false);
    expect(isTroubledNow(judged({ window: twice(onNew({ failed: 9 })) }))).toBe(false);
    expect(isTroubledNow(judged({ window: twice(onNew({ failed: 9 }), onOld()) }))).toBe(false);
  });

  test("is what the guard calls disturbed", () => {
    expect(troubled(0, 9, { latch: latched("disturbed") })).toBe(true);
    expect(troubled(0, 9, { latch: latched("failing") })).toBe(false);
    expect(troubled(0, 9)).toBe(false);
  });
});

describe("a stream is read", () => {
  const stream = (issued: number, failed: number, region = "tokyo") => ({
    operation: "order" as const,
    region,
    release: "gateway@1.0",
    source: "live" as const,
    issued,
    failed,
    state: "healthy" as const,
  });
  const read = (latch: Latch | undefined, issued: number, failed: number, region?: string): string | undefined =>
    readingsOf(judged({ latch, readings: new Map([["a", stream(issued, failed, region)]]) }))[0]?.state;

  test("as unknown without outcomes, and where nothing is proved", () => {
    expect(read(undefined, 0, 0)).toBe("unknown");
    expect(read(latched("failing"), 0, 0)).toBe("unknown");
    expect(read(latched("unproved"), 100, 50)).toBe("unknown");
    expect(read(undefined, 100, 50)).toBe("healthy");
  });

  test("as bad as the verdict from a fiftieth of failures on, in its regions", () => {
    expect(read(latched("failing"), 50, 1)).toBe("failing");
    expect(read(latched("failing"), 51, 1)).toBe("healthy");
    expect(read(latched("disturbed", ["tokyo"]), 50, 1)).toBe("disturbed");
    expect(read(latched("disturbed", ["tokyo"]), 50, 1, "frankfurt")).toBe("healthy");
    expect(read(latched("failing"), 50, 0)).toBe("healthy");
  });

  test("with its counts", () => {
    expect(readingsOf(judged({ readings: new Map([["a", stream(50, 1)]]) }))).toEqual([stream(50, 1)]);
  });
});

describe("a guard begins", () => {
  test("with every operation in every region, probed or not", () => {
    const regions = [
      { region: "tokyo", isProbed: true },
      { region: "frankfurt", isProbed: false },
    ];
    const guard = { ...GUARD, operations: ["order", "amend"] as const };
    expect(settingsOf(guard, regions, true)).toStrictEqual({
      strata: [
        { operation: "order", region: "tokyo" },
        { operation: "amend", region: "tokyo" },
        { operation: "order", region: "frankfurt" },
        { operation: "amend", region: "frankfurt" },
      ],
      silentAfterMs: {},
      uncounted: [],
      probed: ["tokyo"],
      hasCounters: true,
      counted: ["tokyo", "frankfurt"],
      baselinePct: 0.1,
      p0: 0.001,
      promised: { alarm: 5_184_000, stepMass: 12_960 },
      suspectForMs: 10_000,
      deadlineMs: 250,
      budget: Infinity,
    });
    const told = regions.map((region) => ({ ...region, isCounted: region.region === "frankfurt" }));
    expect(settingsOf(guard, told, false).counted).toEqual(["frankfurt"]);
    const blind = settingsOf(
      guard,
      regions.map(({ region }) => ({ region, isProbed: false })),
      false,
    );
    expect(blind.strata.map(({ region }) => region)).toEqual(["tokyo", "tokyo", "frankfurt", "frankfurt"]);
    expect(blind.probed).toEqual([]);
    expect(settingsOf({ ...guard, budgetFailedOperations: 7 }, regions, true).budget).toBe(7);
  });

  test("with a baseline between one in a million and one half", () => {
    const p0 = (baselineAtMostPct: number): number => settingsOf({ ...GUARD, baselineAtMostPct }, [], true).p0;
    expect([0, 0.00005, 0.1, 80].map(p0)).toEqual([1e-6, 1e-6, 0.001, 0.5]);
  });

  test("without any opinion", () => {
    const state = startJudging(SETTINGS, 7);
    expect(state).toMatchObject({
      startedAt: 7,
      at: 7,
      change: { kind: "none" },
      backAt: -Infinity,
      lossAt: -Infinity,
      steps: [],
      window: [],
      instances: [],
      lost: [],
      lastOutcome: {},
      silence: {},
      spent: { fresh: 0, all: 0 },
      latch: { kind: "unproved", since: 7, reason: "no evidence of health yet", regions: [] },
      evidence: freshEvidence(7),
      verdict: { state: "unknown", reason: "no evidence of health yet", regions: [], at: 7, streams: [] },
    });
    expect(state.clearing).toBeUndefined();
    expect(state.readings.size).toBe(0);
  });
});

describe("a recording", () => {
  const head = {
    kind: "recording",
    midflight: 1,
    at: 7,
    guard: GUARD,
    regions: [{ region: "tokyo", isProbed: true }],
    hasCounters: true,
  } as const;

  test("is judged by its own settings, or by others", () => {
    expect(startRejudging(head)).toEqual(startJudging(settingsOf(GUARD, head.regions, true), 7));
    const other = { ...GUARD, suspectForMs: 1 };
    expect(startRejudging(head, other).settings.suspectForMs).toBe(1);
  });

  test("tells the verdict where it changes, and only there", () => {
    const state = well({ verdict: startJudging(SETTINGS, 0).verdict });
    const first = rejudge(state, { kind: "tick", at: NOW });
    expect(first.changed?.state).toBe("healthy");
    const second = rejudge(first.state, { kind: "tick", at: NOW + 1 });
    expect("changed" in second).toBe(false);
    expect(second.state.at).toBe(NOW + 1);
  });
});
