import { expect, test } from "vitest";
import type { ProbeOutcome } from "../../../../src/adapters/guard-thread/probe-chain.ts";
import { countsOf, metIn, type Sample } from "../../../../src/adapters/guard-thread/probe-counts.ts";

const sample = (outcome: ProbeOutcome): Sample => ({
  outcome,
  isSlow: false,
  cohort: "shard-1",
  served: { side: "new", release: "gateway@2.0", isExposed: true },
});
const OK: ProbeOutcome = { operation: "order", kind: "ok" };
const LIMITED: ProbeOutcome = {
  operation: "order",
  kind: "none",
  why: "probes are refused with 50011 (rate limit)",
  isRefused: true,
};

test("a refusal of a probe is no failure and no success, and is told as a share of what was asked", () => {
  expect(countsOf([sample(OK), sample(LIMITED)], { region: "tokyo", countsRefusals: true })).toMatchObject([
    { issued: 1, failed: 0, asked: 2, refused: 1 },
  ]);
});

test("where counters tell of refusals, probes do not tell of them once more", () => {
  const [count] = countsOf([sample(OK)], { region: "tokyo", countsRefusals: false });
  expect(count).toMatchObject({ issued: 1, failed: 0 });
  expect(count).not.toHaveProperty("asked");
});

test("who did as a probe of its own asked is told by name, once, and nobody else", () => {
  const failed: ProbeOutcome = { operation: "order", kind: "failed", code: "50026", isReached: true };
  expect(
    metIn([
      { ...sample(OK), target: "a" },
      { ...sample(OK), target: "a" },
      { ...sample(failed), target: "b" },
      { ...sample(OK), target: "c", isPassedOver: true },
      { ...sample(LIMITED), target: "d" },
      sample(OK),
    ]),
  ).toEqual({ met: ["a"] });
  expect(metIn([sample(OK)])).toEqual({});
});
