import { expect, test } from "vitest";
import type { Fact } from "../../../src/engine/fact.ts";
import type { WatchPulse } from "../../../src/ports/watcher.ts";
import { Tally } from "../../../src/runtime/tally.ts";

const pulse = (at: number, failed: number, codes: Readonly<Record<string, number>> = {}): WatchPulse => ({
  at,
  streams: [],
  operationsPerSec: 0,
  failed,
  failures:
    failed === 0
      ? []
      : [{ operation: "order", region: "tokyo", release: "g@1", cohort: "all", code: "50026", count: failed }],
  unlisted: Object.entries(codes).map(([code, live]) => ({
    rules: "okx-v5",
    code,
    outcome: "business",
    live,
    probes: 0,
  })),
});

const told = (pulses: readonly WatchPulse[], isFlushed = false): readonly Fact[] => {
  const facts: Fact[] = [];
  const tally = new Tally((fact) => void facts.push(fact));
  for (const one of pulses) tally.take(one);
  if (isFlushed) tally.flush();
  return facts;
};

test("a code that no rule names is told when it first comes, and not each time it comes again", () => {
  const facts = told([
    pulse(0, 0),
    pulse(2_000, 0, { x: 1 }),
    pulse(4_000, 0, { x: 9 }),
    pulse(6_000, 0, { x: 9, y: 1 }),
  ]);
  expect(facts.map(({ at }) => at)).toEqual([2_000, 6_000]);
});

test("how often it came in the end is told at the end", () => {
  const facts = told([pulse(2_000, 0, { x: 1 }), pulse(4_000, 0, { x: 9 })], true);
  expect(facts.at(-1)).toMatchObject({ at: 4_000, unlisted: [{ code: "x", live: 9 }] });
});

test("failures are told when they grow, at most once a second, and nothing twice", () => {
  const facts = told([pulse(0, 1), pulse(500, 2), pulse(1_000, 3), pulse(3_000, 3)], true);
  expect(facts.map(({ at }) => at)).toEqual([0, 1_000]);
});
