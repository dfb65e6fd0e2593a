import fc from "fast-check";
import { expect, test } from "vitest";
import { startClockBounds } from "../../../../../src/adapters/guard-thread/prober/clock-bounds.ts";

test("before an order was read there nobody knows how old what is said may be", () => {
  const clock = startClockBounds();
  clock.heard(1_000, 51_000);
  expect(clock.latest(1_000)).toBe(51_000);
  expect(clock.earliest(1_000)).toBe(-Infinity);
});

test("a time there lies between its bounds, whatever clocks and delays are", () => {
  const delays = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 3_000 }), fc.nat({ max: 2_000 })), { minLength: 1 });
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), delays, (offset, events) => {
      const clock = startClockBounds();
      clock.heard(0, offset + 10_000);
      let now = 0;
      for (const [isLine, delay, pause] of events) {
        now += pause;
        if (isLine) clock.heard(now, now + offset + delay);
        else clock.read(now + delay, now + offset);
        expect(clock.latest(now)).toBeGreaterThanOrEqual(now + offset);
        expect(clock.earliest(now)).toBeLessThanOrEqual(now + offset);
        now += delay;
      }
    }),
  );
});

test("the quickest line and the quickest order bound it, and what is old counts no more", () => {
  const clock = startClockBounds();
  clock.heard(0, 500);
  clock.read(1_400, 1_000);
  clock.heard(2_000, 2_020);
  expect([clock.earliest(3_000), clock.latest(3_000)]).toEqual([2_600, 3_020]);
  clock.heard(40_000, 40_300);
  expect(clock.latest(41_000)).toBe(41_300);
});
