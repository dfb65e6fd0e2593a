import { describe, expect, test } from "vitest";
import { disturb, fail, unprove } from "../../../src/guard/latch.ts";
import { freshEvidence } from "../../../src/guard/strata.ts";
import { judged, NOW } from "../../fakes/judged.ts";

const lost = [{ region: "tokyo", since: NOW - 500 }];
const told = { kind: "disturbed", since: NOW - 1_000, reason: "the servers are gone", regions: ["tokyo"] } as const;

describe("a disturbance", () => {
  test("is told since now, by places in order, and evidence of health starts again", () => {
    const state = disturb(judged(), ["tokyo", "frankfurt", "tokyo"], "orders fail");
    expect(state.latch).toEqual({
      kind: "disturbed",
      since: NOW,
      reason: "orders fail",
      regions: ["frankfurt", "tokyo"],
    });
    expect(state.evidence).toEqual(freshEvidence(NOW));
  });

  test("names the lost regions too, each once", () => {
    expect(disturb(judged({ lost }), ["frankfurt", "tokyo"], "orders fail").latch?.regions).toEqual([
      "frankfurt",
      "tokyo",
    ]);
  });

  test("keeps the loss as its reason while servers are gone", () => {
    const reason = (more: Parameters<typeof judged>[0]): string | undefined =>
      disturb(judged({ latch: told, lost, lossAt: told.since, ...more }), [], "orders fail").latch?.reason;
    expect(reason({})).toBe("the servers are gone");
    expect(reason({ lost: [] })).toBe("orders fail");
    expect(reason({ lossAt: told.since + 1 })).toBe("orders fail");
    expect(reason({ latch: { ...told, kind: "unproved" } })).toBe("orders fail");
    expect(reason({ latch: undefined })).toBe("orders fail");
  });
});

test("a failure is told since now, and nothing else changes", () => {
  const state = judged();
  expect(fail(state, ["tokyo"], "orders fail")).toEqual({
    ...state,
    latch: { kind: "failing", since: NOW, regions: ["tokyo"], reason: "orders fail" },
  });
});

test("who has to show health anew clears no suspicion any more", () => {
  const state = judged({ clearing: { probes: freshEvidence(0), live: freshEvidence(0) } });
  expect(unprove(state, "nobody answers")).toEqual({
    ...state,
    clearing: undefined,
    latch: { kind: "unproved", since: NOW, regions: [], reason: "nobody answers" },
  });
  expect(unprove(state, "nobody answers", ["tokyo"]).latch?.regions).toEqual(["tokyo"]);
});
