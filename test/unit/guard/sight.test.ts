import { describe, expect, test } from "vitest";
import { judge, settingsOf, startJudging, type JudgedRegion, type JudgeInput } from "../../../src/guard/judge.ts";
import { rejudge, startRejudging } from "../../../src/guard/recording.ts";
import type { Count, CountBin } from "../../../src/guard/count.ts";
import type { PlanGuard } from "../../../src/plan/model.ts";
import { plainGuard } from "../../../src/plan/to-plan.ts";

const GUARD: PlanGuard = { ...plainGuard(), operations: ["order"] };
const count = (source: Count["source"], more: Partial<Count> = {}): Count => ({
  operation: "order",
  region: "tokyo",
  release: "gateway@1.0",
  side: "old",
  cohort: "all",
  source,
  issued: 50,
  failed: 0,
  ...more,
});
const bin = (at: number, source: Count["source"], more: Partial<CountBin> = {}): CountBin => ({
  kind: "bin",
  at,
  ms: 100,
  counts: [count(source)],
  ...more,
});
const PROBED: JudgedRegion = { region: "tokyo", isProbed: true };

const judging = (regions: readonly JudgedRegion[] = [PROBED]) => {
  let state = startJudging(settingsOf(GUARD, regions, false), 0);
  const told: string[] = [];
  return {
    told,
    feed(...inputs: readonly JudgeInput[]): void {
      for (const input of inputs) {
        const before = state.verdict;
        state = judge(state, input).state;
        if (state.verdict !== before) told.push(`${state.verdict.state}: ${state.verdict.reason}`);
      }
    },
    state: () => state,
  };
};
const sight = (at: number, why?: string, source = "sources[0]"): JudgeInput => ({
  kind: "sight",
  at,
  source,
  regions: ["tokyo"],
  ...(why === undefined ? {} : { why }),
});

describe("a live source that sees nothing", () => {
  test("makes the verdict unknown with its reason, however well the probes are", () => {
    const { feed, told, state } = judging();
    feed(bin(100, "probes"), bin(200, "probes"), sight(300, "Prometheus at a:9090 answers HTTP 503"));
    expect(told.map((line) => line.slice(0, 8))).toEqual(["healthy:", "unknown:"]);
    expect(told.at(-1)).toBe("unknown: what users see is not known: Prometheus at a:9090 answers HTTP 503");
    expect(state().verdict.regions).toEqual(["tokyo"]);
    feed(bin(400, "probes"), bin(500, "probes"), bin(600, "probes"));
    expect(state().verdict.state).toBe("unknown");
  });

  test("that sees again must be followed by new evidence before anything is healthy", () => {
    const { feed, state } = judging();
    feed(sight(0, "it hangs"), bin(100, "probes"), bin(200, "probes"), sight(250));
    expect(state().verdict.state).toBe("unknown");
    feed(bin(400, "probes"), bin(500, "probes"));
    expect(state().verdict.state).toBe("healthy");
  });

  test("for another reason than before is told anew, and for the same one is not", () => {
    const { feed, told } = judging();
    feed(sight(0, "it hangs"), sight(10, "it hangs"), sight(20, "it refuses connections"));
    expect(told.map((line) => line.split(": ").at(-1))).toEqual(["it hangs", "it refuses connections"]);
  });

  test("is one of several: health waits for all of them", () => {
    const { feed, state } = judging();
    feed(sight(0, "one"), sight(0, "two", "sources[1]"), sight(10));
    feed(bin(200, "probes"), bin(300, "probes"));
    expect(state().verdict.reason).toBe("what users see is not known: two");
    feed(sight(310, undefined, "sources[1]"), bin(500, "probes"), bin(600, "probes"));
    expect(state().verdict.state).toBe("healthy");
  });

  test("does not hide that a release fails", () => {
    const { feed, state } = judging();
    feed(bin(100, "probes"), bin(200, "probes"));
    feed({ kind: "mark", at: 300, cause: { kind: "metadata", component: "db" } });
    for (let at = 400; at < 3_000; at += 100)
      feed(bin(at, "probes", { counts: [count("probes", { issued: 10, failed: 10 })] }));
    expect(state().verdict.state).toBe("failing");
    feed(sight(3_000, "it hangs"));
    expect(state().verdict.state).toBe("failing");
  });
});

describe("a region without probes", () => {
  const SLOW: readonly JudgedRegion[] = [PROBED, { region: "osaka", isProbed: false, silentAfterMs: 30_000 }];
  const both = (at: number, from?: number): readonly JudgeInput[] => [
    bin(at, "probes"),
    bin(at, "live", {
      counts: [count("live", { region: "osaka" })],
      ...(from === undefined ? {} : { from }),
    }),
  ];
  const ticks = (from: number, to: number): readonly JudgeInput[] =>
    Array.from({ length: (to - from) / 500 }, (_, index) => bin(from + index * 500, "probes"));

  test("is required all the same: probes elsewhere say nothing of it", () => {
    const { feed, state } = judging(SLOW);
    feed(...ticks(200, 3_200));
    expect(state().verdict.state).toBe("unknown");
    feed(...both(3_300), ...both(3_400));
    expect(state().verdict.state).toBe("healthy");
  });

  test("may be as silent as its source is slow, and no longer", () => {
    const { feed, state } = judging(SLOW);
    feed(...both(200), ...both(300), ...ticks(400, 30_000));
    expect(state().verdict.state).toBe("healthy");
    feed(...ticks(30_000, 31_500));
    expect(state().verdict).toMatchObject({ state: "unknown", regions: ["osaka"] });
    expect(state().verdict.reason).toMatch(/^no outcome of order in osaka for 30\.\d s$/);
  });

  test("shows health only by operations that were all issued later", () => {
    const { feed, state } = judging(SLOW);
    feed({ kind: "mark", at: 1_000, cause: { kind: "start" } });
    feed(...both(1_200, 900), ...both(1_300, 950));
    expect(state().verdict.state).toBe("unknown");
    feed(...both(1_400, 1_000), ...both(1_500));
    expect(state().verdict.state).toBe("healthy");
  });
});

test("failures of probes are no users' where users are counted without them", () => {
  const spentWith = (countsProbes: boolean): number => {
    const { feed, state } = judging([{ ...PROBED, countsProbes }]);
    feed(bin(100, "probes", { counts: [count("probes", { failed: 4 })] }));
    feed(bin(200, "live", { counts: [count("live", { failed: 5 })] }));
    return state().spent.all;
  };
  expect(spentWith(true)).toBe(1);
  expect(spentWith(false)).toBe(5);
});

test("what a source told is judged alike again", () => {
  const inputs: readonly JudgeInput[] = [
    sight(0, "nothing yet"),
    bin(100, "probes"),
    sight(150),
    bin(300, "probes"),
    bin(400, "probes"),
    sight(500, "it hangs"),
  ];
  const { feed, told } = judging();
  feed(...inputs);
  let again = startRejudging({
    kind: "recording",
    midflight: 1,
    at: 0,
    guard: GUARD,
    regions: [PROBED],
    hasCounters: false,
  });
  const retold: string[] = [];
  for (const input of inputs) {
    const { state, changed } = rejudge(again, JSON.parse(JSON.stringify(input)) as JudgeInput);
    again = state;
    if (changed !== undefined) retold.push(`${changed.state}: ${changed.reason}`);
  }
  expect(retold).toEqual(told);
  expect(told).toHaveLength(3);
});
