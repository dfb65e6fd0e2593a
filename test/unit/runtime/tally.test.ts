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
const pulse = (at: number, fills: readonly ProbeFill[]): WatchPulse => ({
  at,
  streams: [],
  operationsPerSec: 0,
  failed: 0,
  failures: [],
  fills,
});

test("a probe order that was traded with is told when it happens and when its state changes, not with every pulse", () => {
  const facts: Fact[] = [];
  const tally = new Tally((fact) => void facts.push(fact));
  const sold: ProbeFill = { ...FILL, sold: FILL.size, state: "sold" };
  for (const [at, fill] of [
    [1, FILL],
    [2, FILL],
    [3, sold],
    [4, sold],
  ] as const)
    tally.take(pulse(at, [fill]));
  expect(facts).toEqual([
    { kind: "probe-filled", at: 1, fill: FILL },
    { kind: "probe-filled", at: 3, fill: sold },
  ]);
});

test("what could not be sold is told with what is left to a person", () => {
  expect(fillText({ ...FILL, sold: "0.00000400", state: "kept", why: "refused with 51020" })).toBe(
    "probe order mf1 in tokyo was filled: 0.00001 of BTC-USDT bought at 42000.0, and only 0.00000400 of it sold again (refused with 51020); sell the rest by hand",
  );
});
