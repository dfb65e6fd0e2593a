import { expect, test } from "vitest";
import { proveByRegion, type Prover } from "../../../../src/adapters/guard-thread/prove-by-region.ts";
import type { ProofResult } from "../../../../src/guard/proof.ts";
import type { ProofOrder } from "../../../../src/ports/watcher.ts";

const order: ProofOrder = {
  id: "p",
  excludePct: 5,
  confidencePct: 99,
  deadlineMs: 1_000,
  instances: ["tokyo", "frankfurt"].map((region) => ({
    id: `${region}-new`,
    component: "gateway",
    region,
    release: "gateway@2.0",
    side: "new" as const,
    url: "http://nowhere",
    inTraffic: false,
  })),
};
const { signal } = new AbortController();
const by = (region: string, result: ProofResult): Prover => ({
  regions: [region],
  prove: () => Promise.resolve(result),
});
const PROVED: ProofResult = { kind: "proved", outcomes: 50, ms: 10 };
const OPEN: ProofResult = { kind: "undecided", reason: "too few", outcomes: 3 };

test("a proof over regions holds where each of them holds, and takes as long as the longest", async () => {
  const provers = [by("tokyo", PROVED), by("frankfurt", { ...PROVED, ms: 30 })];
  expect(await proveByRegion(order, provers, signal)).toEqual({ kind: "proved", outcomes: 100, ms: 30 });
  expect(await proveByRegion(order, [by("tokyo", PROVED), by("frankfurt", OPEN)], signal)).toEqual({
    ...OPEN,
    outcomes: 53,
  });
});

test("a region that refutes ends the others, which are told to stop", async () => {
  let isTold = false;
  const endless: Prover = {
    regions: ["tokyo"],
    prove: (_order, within) =>
      new Promise((_resolve, reject) => {
        within.addEventListener("abort", () => {
          isTold = true;
          reject(within.reason as Error);
        });
      }),
  };
  const refuted: ProofResult = { kind: "refuted", reason: "r", outcomes: 9, failed: 9, ms: 5 };
  expect(await proveByRegion(order, [endless, by("frankfurt", refuted)], signal)).toEqual(refuted);
  expect(isTold).toBe(true);
});
