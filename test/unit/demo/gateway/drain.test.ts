import { expect, test, vi } from "vitest";
import { createDrain } from "../../../../src/demo/venue/gateway/drain.ts";

const listener = () => ({
  onNotice: vi.fn<(spreadMs: number) => void>(),
  onUndone: vi.fn<() => void>(),
  onClosed: vi.fn<() => void>(),
});

const inFakeTime = async (work: () => Promise<void> | void): Promise<void> => {
  vi.useFakeTimers();
  try {
    await work();
  } finally {
    vi.useRealTimers();
  }
};

test("the notice is spread over the first half of its time, and ends on time", () =>
  inFakeTime(() => {
    const heard = listener();
    const drain = createDrain(heard);
    expect(drain.timeLeftMs()).toBeUndefined();
    drain.start(3_000);
    drain.start(60_000);
    expect(heard.onNotice.mock.calls).toEqual([[1_500]]);
    vi.advanceTimersByTime(2_999);
    expect([drain.state(), heard.onClosed.mock.calls.length]).toEqual(["draining", 0]);
    expect(drain.timeLeftMs()).toBeCloseTo(1, 0);
    vi.advanceTimersByTime(1);
    expect([drain.state(), drain.timeLeftMs(), heard.onClosed.mock.calls.length]).toEqual(["closed", 0, 1]);
  }));

test("operations enter until it is closed; those inside are waited for", () =>
  inFakeTime(async () => {
    const drain = createDrain(listener());
    const first = drain.tryEnter();
    drain.start(100);
    const second = drain.tryEnter();
    vi.advanceTimersByTime(100);
    expect(drain.tryEnter()).toBeUndefined();
    expect(drain.inflight()).toBe(2);
    let isSettled = false;
    const settled = drain.settled().then(() => (isSettled = true));
    first?.();
    first?.();
    await Promise.resolve();
    expect([drain.inflight(), isSettled]).toEqual([1, false]);
    second?.();
    await settled;
    expect(isSettled).toBe(true);
  }));

test("undone, it is open again, and the old notice does not close it later", () =>
  inFakeTime(() => {
    const heard = listener();
    const drain = createDrain(heard);
    drain.start(100);
    drain.undo();
    vi.advanceTimersByTime(1_000);
    expect([drain.state(), heard.onUndone.mock.calls.length, heard.onClosed.mock.calls.length]).toEqual(["open", 1, 0]);
    expect(drain.tryEnter()).toBeDefined();
  }));
