import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "../../../../src/adapters/system/clock.ts";

const DAY_MS = 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

// A timer of Node.js that should last longer than 24.8 days passes at once.
test.each([1, 24, 25, 30, 50, 366])("sleeps for %d days, no longer and no less", async (days) => {
  let isOver = false;
  void systemClock.sleep(days * DAY_MS, new AbortController().signal).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(days * DAY_MS - 1);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(isOver).toBe(true);
});

test.each([0, 3, 30])("is woken after %d days by whoever aborts it, and says why", async (days) => {
  const wish = new AbortController();
  const told = systemClock.sleep(50 * DAY_MS, wish.signal).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(days * DAY_MS);
  wish.abort(new Error("enough"));
  expect(await told).toEqual(new Error("enough"));
  expect(vi.getTimerCount()).toBe(0);
});
