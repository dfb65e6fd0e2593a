import { describe, expect, test } from "vitest";
import { slotsDue } from "../../../../src/adapters/guard-thread/pacer.ts";
import { accountsNeeded, OPERATIONS_PER_ACCOUNT } from "../../../../src/adapters/guard-thread/rate-limits.ts";
import { BEHIND_MS, watchSchedule } from "../../../../src/adapters/guard-thread/schedule.ts";

describe("the slots of a wake-up", () => {
  /** At 2000 a second a slot is due every half millisecond. */
  const wake = (last: number, ms: number) => [...slotsDue(last, Math.floor(ms * 2), (slot) => ms - slot / 2)];

  test("are all taken when the thread woke in time, none twice", () => {
    expect(wake(10, 6.2).map(({ due, isTaken }) => [due, isTaken])).toEqual([
      [11, true],
      [12, true],
    ]);
    expect(wake(12, 6.2)).toEqual([]);
  });

  test("that are older than 5 ms stay missed: a stall is not caught up in a burst", () => {
    const slots = wake(0, 100);
    expect(slots).toHaveLength(200);
    expect(slots.filter(({ isTaken }) => isTaken)).toHaveLength(11);
    expect(slots.filter(({ isTaken }) => isTaken).every(({ lateMs }) => lateMs <= 5)).toBe(true);
  });

  test("at a low rate are one, however late", () => {
    const slots = [...slotsDue(0, 3, (slot) => 120 - slot * 33)];
    expect(slots.map(({ isTaken }) => isTaken)).toEqual([false, false, true]);
  });
});

describe("the schedule of probes", () => {
  const start = () => {
    let now = 0;
    const schedule = watchSchedule(() => now);
    return { schedule, at: (ms: number): void => void (now = ms) };
  };

  test("tells the lag of the last 10 s, missed slots with the time by which they were missed", () => {
    const { schedule, at } = start();
    for (let slot = 0; slot < 980; slot++) schedule.note(0.45, true);
    for (let slot = 0; slot < 20; slot++) schedule.note(40, false);
    expect(schedule.read()).toEqual({ slots: 1_000, missed: 20, lagP50Ms: 0.5, lagP99Ms: 40 });
    at(11_000);
    expect(schedule.read()).toEqual({ slots: 0, missed: 0, lagP50Ms: 0, lagP99Ms: 0 });
  });

  test("never tells a lag smaller than it was", () => {
    for (const lateMs of [0, 0.01, 0.1, 3.14, 19.99, 20, 20.01, 333.3, 1_000]) {
      const { schedule } = start();
      schedule.note(lateMs, true);
      expect(schedule.read().lagP99Ms).toBeGreaterThanOrEqual(lateMs);
      expect(schedule.read().lagP99Ms).toBeLessThanOrEqual(lateMs + 1.01);
    }
  });

  test("is trouble while half of the slots of 2 s are more than 50 ms late, and no longer", () => {
    const { schedule, at } = start();
    for (let slot = 0; slot < 30; slot++) schedule.note(BEHIND_MS + 10, false);
    expect(schedule.trouble()).toMatch(/60 ms behind their schedule/);
    for (let slot = 0; slot < 40; slot++) schedule.note(1, true);
    at(200);
    expect(schedule.trouble()).toBeUndefined();
  });

  test("that fell behind is forgiven after 2 s", () => {
    const { schedule, at } = start();
    for (let slot = 0; slot < 30; slot++) schedule.note(2_000, false);
    expect(schedule.trouble()).toBeDefined();
    at(2_100);
    expect(schedule.trouble()).toBeUndefined();
  });
});

test("an account does 36 probe operations a second, so 2000 a second need 56 accounts", () => {
  expect(OPERATIONS_PER_ACCOUNT).toBe(36);
  expect([36, 37, 2_000].map(accountsNeeded)).toEqual([1, 2, 56]);
});
