import { describe, expect, test } from "vitest";
import type { CountBin } from "../../../src/guard/count.ts";
import { evidenceMissing, judge, settingsOf, startJudging } from "../../../src/guard/judge.ts";
import type { JudgeState } from "../../../src/guard/judge-state.ts";
import { plainGuard } from "../../../src/plan/to-plan.ts";
import { guardWorld } from "../../fakes/guard-world.ts";

// What was called success elsewhere: measurements that all failed, numbers that were none, and errors where there had never been any to compare with.
const NEED = { excludePct: 10, confidencePct: 99 };
const GUARD = { ...plainGuard(), operations: ["order"] };

/** What is said in the course of ten seconds of bins like this one. */
function judged(more: Partial<CountBin>): { readonly said: ReadonlySet<string>; readonly state: JudgeState } {
  let state = startJudging(settingsOf(GUARD, [{ region: "tokyo", isProbed: true }], false), 0);
  const said = new Set<string>([state.verdict.state]);
  for (let at = 100; at <= 10_000; at += 100) {
    ({ state } = judge(state, { kind: "bin", at, ms: 100, counts: [], ...more }));
    said.add(state.verdict.state);
  }
  return { said, state };
}
const counted = (issued: number, failed: number): CountBin["counts"] => [
  {
    operation: "order",
    region: "tokyo",
    release: "gateway@1.0",
    side: "old",
    cohort: "all",
    source: "probes",
    issued,
    failed,
  },
];

describe("measurements that say nothing", () => {
  test.each([
    { name: "none at all", counts: [] },
    { name: "counts of nothing", counts: counted(0, 0) },
  ])("are no health, however long they come: $name (argo-rollouts#4479)", ({ counts }) => {
    const { said, state } = judged({ counts });
    expect(said).toEqual(new Set(["unknown"]));
    expect(evidenceMissing(state, NEED)).not.toBeUndefined();
  });

  test("are told from measurements that all failed, which are no health either (argo-rollouts#4479)", () => {
    const { said, state } = judged({ counts: counted(10, 10) });
    expect(said).not.toContain("healthy");
    expect(evidenceMissing(state, NEED)).not.toBeUndefined();
    expect(judged({ counts: counted(10, 0) }).said).toContain("healthy");
  });

  test("are not what they look like: a rate of none of none is no number, and proves nothing (kayenta#377)", () => {
    const { said, state } = judged({ counts: counted(Number.NaN, Number.NaN) });
    expect(said).not.toContain("healthy");
    expect(evidenceMissing(state, NEED)).not.toBeUndefined();
  });
});

describe("a new release that fails where the old one never did", () => {
  test.each([1, 2, 3])(
    "is accused, although there is nothing to divide by (kayenta#377, kayenta#799, spinnaker#5622; seed %i)",
    (seed) => {
      const world = guardWorld({ seed, baseline: 0 });
      world.run(5_000);
      expect(world.verdict().state).toBe("healthy");
      world.upgrade(["tokyo-0"]);
      world.mark({ kind: "instances", component: "gateway", regions: ["tokyo"] });
      world.fail(({ operation, instance }) => operation === "amend" && instance.side === "new", 1 / 5);
      world.run(8_000, ({ state }) => state === "suspect" || state === "failing");
      expect(world.verdict()).toMatchObject({
        state: "suspect",
        reason: expect.stringMatching(/amend in tokyo on gateway@2\.0: \d+ of \d+ failed .*, 0 of \d+ on gateway@1\.0/),
      });
    },
  );
});
