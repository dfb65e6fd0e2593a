import { expect, test } from "vitest";
import type { Fact } from "../../../src/engine/fact.ts";
import { fillText } from "../../../src/events/fill-text.ts";
import type { ProbeFill } from "../../../src/guard/probe-fill.ts";
import type { WatchPulse } from "../../../src/ports/watcher.ts";
import { Tally } from "../../../src/runtime/tally.ts";

const FILL: ProbeFill = {
  region: "tokyo",
  cohort: "shard-3",
  clOrdId: "mf1",
  instrument: "BTC-USDT",
  size: "0.00001",
  px: "42000.0",
  sold: "0.00000000",
  state: "selling",
};
const quiet = (at: number, more: Partial<WatchPulse> = {}): WatchPulse => ({
  at,
  streams: [],
  operationsPerSec: 0,
  failed: 0,
  failures: [],
  ...more,
});
const pulse = (at: number, failed: number, codes: Readonly<Record<string, number>> = {}): WatchPulse =>
  quiet(at, {
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

test("a probe order that was traded with is told when it happens and when its state changes, not with every pulse", () => {
  const sold: ProbeFill = { ...FILL, sold: FILL.size, state: "sold" };
  const pulses = [FILL, FILL, sold, sold].map((fill, index) => quiet(index + 1, { fills: [fill] }));
  expect(told(pulses)).toEqual([
    { kind: "probe-filled", at: 1, fill: FILL },
    { kind: "probe-filled", at: 3, fill: sold },
  ]);
});

test("what could not be sold is told with what is left to a person", () => {
  expect(fillText({ ...FILL, sold: "0.00000400", state: "kept", why: "refused with 51020" })).toBe(
    "probe order mf1 in tokyo was filled: 0.00001 of BTC-USDT bought at 42000.0, and only 0.00000400 of it sold again (refused with 51020); sell the rest by hand",
  );
});

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
