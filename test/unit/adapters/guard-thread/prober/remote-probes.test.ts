import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ProberLine, SumKey } from "../../../../../src/adapters/guard-thread/prober/prober-line.ts";
import type { ProberOrders } from "../../../../../src/adapters/guard-thread/prober/prober-orders.ts";
import { remoteProbes, type RemoteBin } from "../../../../../src/adapters/guard-thread/prober/remote-probes.ts";
import type { WatchedInstance } from "../../../../../src/ports/watcher.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const instance = (id: string, side: "new" | "old", inTraffic = true): WatchedInstance => ({
  id,
  component: "gateway",
  region: "tokyo",
  release: side === "new" ? "gateway@2.0" : "gateway@1.0",
  side,
  url: `http://${id}`,
  inTraffic,
});
const sample = (more: Partial<Extract<SumKey, { kind: "sample" }>> = {}): SumKey => ({
  kind: "sample",
  outcome: { operation: "look", kind: "ok" },
  cohort: "all",
  ...more,
});

/** A prober that is heard by hand, at a clock that is turned by hand. */
function heard(isDisturbed = false) {
  let now = 1_000;
  let seq = 0;
  const orders: ProberOrders[] = [];
  const bins: RemoteBin[] = [];
  const silences: string[] = [];
  const probes = remoteProbes({
    region: "tokyo",
    operations: ["look"],
    session: "s",
    now: () => now,
    isDisturbed: () => isDisturbed,
    order: (text) => void orders.push(JSON.parse(text) as ProberOrders),
    onSamples: (bin) => void bins.push(bin),
    onOutcome: () => undefined,
    onSilence: (_operation, why) => void silences.push(why),
    onFill: () => undefined,
    onLeaving: () => undefined,
    onFarewell: () => undefined,
    onRefused: () => undefined,
  });
  const line = (sums: ProberLine["sums"] = [], more: Partial<ProberLine> = {}): string => {
    const number = seq++;
    const last = orders.at(-1)?.number ?? 0;
    return JSON.stringify({
      kind: "probes",
      boot: "a",
      seq: number,
      at: now,
      order: { session: "s", number: last, readAt: now },
      from: now - 100,
      to: now,
      sums,
      ...more,
    } satisfies ProberLine);
  };
  return {
    probes,
    orders,
    bins,
    silences,
    line,
    hear: (text: string): void => probes.hear({ kind: "line", text }),
    pass(ms: number): void {
      now += ms;
      vi.advanceTimersByTime(ms);
    },
  };
}

describe("probes that run in their region", () => {
  test("are told their instances at once, and every 3 s that somebody listens", () => {
    const { probes, orders, pass } = heard();
    probes.instances([instance("one", "old"), { ...instance("far", "old"), region: "frankfurt" }]);
    probes.instances([instance("one", "old")]);
    expect(orders.map((order) => order.instances.map(({ id }) => id))).toEqual([[], ["one"]]);
    pass(6_000);
    expect(orders.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    probes.stop();
  });

  test("count for whoever serves by what is known here, and a goodbye of one that is gone counts for nobody", () => {
    const { probes, bins, hear, line } = heard();
    const [old, fresh] = [instance("one", "old"), instance("two", "new")];
    probes.instances([old, fresh]);
    probes.instances([old]);
    hear(
      line([
        [sample({ target: "two" }), 2],
        [sample({ target: "two", outcome: { operation: "look", kind: "failed", code: "cut", isReached: false } }), 1],
        [sample(), 1],
      ]),
    );
    const told = bins.flatMap(({ samples }) => samples.map(({ isPassedOver, served }) => [isPassedOver, served.side]));
    expect(told.filter(([isPassedOver]) => isPassedOver === undefined)).toEqual([[undefined, "old"]]);
    expect(told).toHaveLength(4);
    probes.stop();
  });

  test("say what keeps them from being heard: nothing yet, no line, no pod, or lines that come late", () => {
    const { probes, silences, hear, line, pass } = heard();
    pass(100);
    expect(silences.at(-1)).toBe("the probes of tokyo have not begun");
    hear(line());
    const late = line();
    silences.length = 0;
    pass(900);
    expect(silences).toEqual([]);
    pass(400);
    expect(silences.at(-1)).toBe("the probes of tokyo have said nothing for 1.3 s");
    hear(late);
    pass(100);
    expect(silences.at(-1)).toBe("what the probes of tokyo say comes 1.3 s late");
    probes.hear({ kind: "trouble", why: "do not run: pod-1: no node takes it" });
    pass(100);
    expect(silences.at(-1)).toBe("the probes of tokyo do not run: pod-1: no node takes it");
    probes.stop();
  });

  test("are asked for everything once after a line was lost, and are idle where they hear no order", () => {
    const { orders, hear, line, silences, pass, probes } = heard();
    hear(line());
    line();
    const asked = orders.length;
    hear(line([[sample(), 5]]));
    hear(line([[sample(), 6]]));
    expect(orders).toHaveLength(asked + 1);
    expect(orders.at(-1)?.whole).toBe(1);
    hear(line([], { isIdle: true }));
    pass(100);
    expect(silences.at(-1)).toBe("the probes of tokyo hear no order");
    probes.stop();
  });

  test("prove what they are ordered to, and a venue in trouble refutes nobody", async () => {
    const { probes, orders, hear, line } = heard(true);
    const { signal } = new AbortController();
    const order = { id: "p", instances: [instance("two", "new", false)], excludePct: 5, confidencePct: 99 };
    const result = probes.prove({ ...order, deadlineMs: 10_000 }, signal);
    expect(orders.at(-1)?.proofs.map(({ id }) => id)).toEqual(["s.p.1"]);
    hear(
      line([], { proofs: [{ id: "s.p.1", result: { kind: "refuted", reason: "r", outcomes: 9, failed: 9, ms: 1 } }] }),
    );
    await vi.waitFor(() => expect(orders.at(-1)?.proofs.map(({ id }) => id)).toEqual(["s.p.2"]));
    hear(line([], { proofs: [{ id: "s.p.2", result: { kind: "proved", outcomes: 90, ms: 1 } }] }));
    expect(await result).toMatchObject({ kind: "proved", outcomes: 90 });
    expect(orders.at(-1)?.proofs).toEqual([]);
    probes.stop();
  });

  test("that die in a proof leave it undecided at its deadline, with what became of them", async () => {
    const { probes, pass } = heard();
    const order = { id: "p", instances: [instance("two", "new", false)], excludePct: 5, confidencePct: 99 };
    const result = probes.prove({ ...order, deadlineMs: 10_000 }, new AbortController().signal);
    probes.hear({ kind: "trouble", why: "have no pod" });
    pass(12_000);
    expect(await result).toEqual({ kind: "undecided", reason: "the probes of tokyo have no pod", outcomes: 0 });
    probes.stop();
  });
});
