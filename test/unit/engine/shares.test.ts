import * as fc from "fast-check";
import { expect, test } from "vitest";
import { weightsFor } from "../../../src/engine/standing.ts";
import { graphOf, NEW } from "./graph.ts";

/** The share of users that the new release really gets, per cent: a balancer goes by weights, and each instance has its own. */
const servedPct = (old: number, admitted: number, sharePct: number): number => {
  const [oldPct, freshPct] = weightsFor({ old, fresh: admitted, admitted, sharePct });
  return (100 * admitted * freshPct) / (old * oldPct + admitted * freshPct);
};
const anyCount = fc.integer({ min: 1, max: 50 });
const anyShare = fc.integer({ min: 1, max: 99 });

// Elsewhere a step of 95 % stayed at 50, because there were two pods.
test("a share that a plan names is the share that users get, to half a per cent (argo-rollouts#2281)", () => {
  const exact = fc.property(anyCount, anyShare, (count, sharePct) => {
    expect(Math.abs(servedPct(count, count, sharePct) - sharePct)).toBeLessThanOrEqual(0.5);
  });
  fc.assert(exact);
});

test("a share is never rounded to nobody or to everybody, however few of one side there are (argo-rollouts#2281)", () => {
  const some = fc.property(anyCount, anyCount, anyShare, (old, admitted, sharePct) => {
    const served = servedPct(old, admitted, sharePct);
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(100);
  });
  fc.assert(some);
  expect(servedPct(6, 6, 0.1)).toBeGreaterThan(0);
  expect(servedPct(6, 6, 100)).toBe(100);
  expect(servedPct(6, 6, 0)).toBe(0);
});

// Elsewhere 21 of 21 canaries had one replica: the step of 10 % was everybody, and looked like caution.
test("what a batch exposes is counted in instances, and said so: of one instance it is one of one (open-bank-oss#3806)", () => {
  const graph = graphOf({ migrate: false, instances: 1 });
  const admits = graph.moves.filter((move) => move.kind === "admit");
  expect(admits.map(({ title }) => title)).toEqual([
    `admit ${NEW.release} 1/1 in tokyo`,
    `admit ${NEW.release} 1/1 in frankfurt`,
  ]);
});
