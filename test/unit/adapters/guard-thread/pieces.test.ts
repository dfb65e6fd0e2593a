import { describe, expect, test } from "vitest";
import { collectBins, type ClosedBin } from "../../../../src/adapters/guard-thread/bins.ts";
import { noticeLeaving } from "../../../../src/adapters/guard-thread/leaving.ts";
import type { ProbeOutcome } from "../../../../src/adapters/guard-thread/probe-chain.ts";
import { rhythm } from "../../../../src/adapters/guard-thread/pacer.ts";
import { rateLimits } from "../../../../src/adapters/guard-thread/rate-limits.ts";
import { startTotals } from "../../../../src/adapters/guard-thread/totals.ts";

describe("the rhythm of probes", () => {
  const slotsOver = (from: number, to: number, { slotAt }: ReturnType<typeof rhythm>): number =>
    slotAt(to) - slotAt(from);

  test("is even, and where it warms up it begins at a fifth and rises to its full rate", () => {
    expect(slotsOver(0, 1_000, rhythm(100, 0))).toBeCloseTo(100);
    const warm = rhythm(100, 1_000);
    expect(slotsOver(0, 10, warm)).toBeCloseTo(0.204);
    expect(slotsOver(0, 1_000, warm)).toBeCloseTo(60);
    expect(slotsOver(1_000, 3_000, warm)).toBeCloseTo(200);
  });

  test("knows for every slot when it is due", () => {
    for (const [perSec, warmMs] of [
      [50, 0],
      [100, 1_000],
      [300, 500],
    ] as const) {
      const { slotAt, dueOf } = rhythm(perSec, warmMs);
      for (let slot = 0; slot < 500; slot += 1) expect(slotAt(dueOf(slot))).toBeCloseTo(slot, 6);
    }
  });
});

describe("bins", () => {
  const start = () => {
    let now = 0;
    const closed: ClosedBin<string>[] = [];
    const bins = collectBins<string>(
      100,
      () => now,
      (bin) => void closed.push(bin),
    );
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
    expect(closed).toEqual([
      { from: 0, to: 100, outcomes: ["slow"] },
      { from: 100, to: 200, outcomes: ["quick"] },
    ]);
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
  totals.add({
    kind: "bin",
    at: 200,
    ms: 200,
    counts: [{ ...place, side: "new", source: "live", issued: 10, failed: 3, codes: { "50026": 3 } }],
  });
  const pulse = totals.pulse(200, () => "healthy");
  expect(pulse.failed).toBe(2);
  expect(pulse.failures).toEqual([{ ...place, code: "50026", count: 2 }]);
});

test("a bin of fifteen seconds is a rate over them, until the next one is due", () => {
  const totals = startTotals(true);
  const count = { operation: "order", region: "tokyo", release: "unknown", cohort: "all" } as const;
  const counts = [{ ...count, side: "unknown", source: "live", issued: 1_500, failed: 0 }] as const;
  totals.add({ kind: "bin", at: 20_000, ms: 15_000, counts }, 21_000);
  expect(totals.pulse(30_000, () => "healthy").operationsPerSec).toBe(100);
  expect(totals.pulse(37_000, () => "healthy").operationsPerSec).toBe(0);
});

test("where users are counted without probes, nothing of theirs is taken off", () => {
  const totals = startTotals(true, ["tokyo"]);
  const place = { operation: "amend", region: "tokyo", release: "gateway@2.0", cohort: "shard-1" } as const;
  totals.probed("amend", place, "50026");
  const counts = [{ ...place, side: "new", source: "live", issued: 10, failed: 3, codes: { "50026": 3 } }] as const;
  totals.add({ kind: "bin", at: 200, ms: 200, counts });
  expect(totals.pulse(200, () => "healthy")).toMatchObject({ failed: 3, operationsPerSec: 5 });
});

describe("an instance that leaves", () => {
  const OLD = { id: "tokyo-1", side: "old" } as const;
  const NEW = { id: "tokyo-7", side: "new" } as const;
  const ok = (isClosing: boolean): ProbeOutcome => ({ operation: "order", kind: "ok", isClosing });
  const failed = (code: string): ProbeOutcome => ({ operation: "order", kind: "failed", code, isReached: false });

  test("and announces it is avoided, and what it refuses is no sample", () => {
    const leaving = noticeLeaving(() => 0);
    leaving.note(OLD, ok(false));
    expect(leaving.isAvoided(OLD.id)).toBe(false);
    leaving.note(OLD, ok(true));
    expect([leaving.isAvoided(OLD.id), leaving.announced().has(OLD.id)]).toEqual([true, true]);
    expect(leaving.note(OLD, failed("50001"))).toBe(true);
  });

  test("without a word is avoided if it is old, and held against it if it is new", () => {
    const leaving = noticeLeaving(() => 0);
    expect([leaving.note(OLD, failed("refused")), leaving.isAvoided(OLD.id), leaving.announced().size]).toEqual([
      true,
      true,
      0,
    ]);
    expect([leaving.note(NEW, failed("refused")), leaving.isAvoided(NEW.id)]).toEqual([false, false]);
  });

  test("that fails otherwise is held against it", () => {
    const leaving = noticeLeaving(() => 0);
    expect([leaving.note(OLD, failed("50026")), leaving.note(OLD, failed("timeout"))]).toEqual([false, false]);
  });

  test("that never kept a connection has announced nothing, and one that stays is asked again", () => {
    let now = 0;
    const leaving = noticeLeaving(() => now);
    leaving.note(OLD, ok(true));
    expect(leaving.announced().size).toBe(0);
    leaving.note(OLD, failed("cut"));
    now = 3_001;
    expect(leaving.isAvoided(OLD.id)).toBe(false);
  });
});

describe("what probes lost over WebSocket is nobody's loss", () => {
  const place = { operation: "order", region: "tokyo", release: "gateway@2.0" } as const;
  const live = (cohort: string, failed: number) =>
    ({
      kind: "bin",
      at: 200,
      ms: 200,
      counts: [{ ...place, cohort, side: "new", source: "live", issued: 10, failed, codes: { "64007": failed } }],
    }) as const;

  test("where counters tell the protocol", () => {
    const totals = startTotals(true);
    totals.probed("order", { ...place, cohort: "shard-1/ws" }, "64007");
    totals.add(live("shard-1/ws", 3));
    expect(totals.pulse(200, () => "healthy").failures).toEqual([
      { ...place, cohort: "shard-1/ws", code: "64007", count: 2 },
    ]);
  });

  test("where they don't", () => {
    const totals = startTotals(true);
    totals.probed("order", { ...place, cohort: "shard-1/ws" }, "64007");
    totals.add(live("shard-1", 3));
    expect(totals.pulse(200, () => "healthy").failures).toEqual([
      { ...place, cohort: "shard-1", code: "64007", count: 2 },
    ]);
  });
});
