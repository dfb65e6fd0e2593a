import { describe, expect, test } from "vitest";
import { collectBins, type ClosedBin } from "../../../../src/adapters/guard-thread/bins.ts";
import { rateLimits } from "../../../../src/adapters/guard-thread/rate-limits.ts";
import { startTotals } from "../../../../src/adapters/guard-thread/totals.ts";

describe("bins", () => {
  const start = () => {
    let now = 0;
    const closed: ClosedBin<string>[] = [];
    const bins = collectBins<string>(100, () => now, (bin) => void closed.push(bin));
    return { bins, closed, at: (ms: number): void => void (now = ms) };
  };

  test("an outcome belongs to the bin in which its operation was issued, however late it comes", () => {
    const { bins, closed, at } = start();
    const slow = bins.issue();
    at(110);
    bins.issue()("quick");
    at(210);
    bins.flush();
    expect(closed).toEqual([]);
    slow("slow");
    expect(closed).toEqual([{ from: 0, to: 100, outcomes: ["slow"] }, { from: 100, to: 200, outcomes: ["quick"] }]);
  });

  test("a bin in which nothing was issued is handed out empty, and an outcome that says nothing is left out", () => {
    const { bins, closed, at } = start();
    bins.issue()(undefined);
    at(250);
    bins.flush();
    expect(closed.map(({ outcomes }) => outcomes)).toEqual([[], []]);
  });
});

test("probes stay below 60 requests in 2 s for each account and kind", () => {
  let now = 0;
  const limits = rateLimits(() => now);
  const taken = Array.from({ length: 100 }, () => limits.take("a", "order")).filter(Boolean).length;
  expect(taken).toBeLessThan(60);
  expect(limits.has("a", "order")).toBe(false);
  expect(limits.has("a", "amend")).toBe(true);
  expect(limits.has("b", "order")).toBe(true);
  now = 2_001;
  expect(limits.has("a", "order")).toBe(true);
});

test("what probes lost in the counters is nobody's loss", () => {
  const totals = startTotals(true);
  const place = { operation: "amend", region: "tokyo", release: "gateway@2.0", cohort: "shard-1" } as const;
  totals.probed("amend", place, "50026");
  totals.add({ kind: "bin", at: 200, ms: 200, counts: [{ ...place, side: "new", source: "live", issued: 10, failed: 3, codes: { "50026": 3 } }] });
  const pulse = totals.pulse(200, () => "healthy");
  expect(pulse.failed).toBe(2);
  expect(pulse.failures).toEqual([{ ...place, code: "50026", count: 2 }]);
});
