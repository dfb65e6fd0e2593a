import fc from "fast-check";
import { expect, test } from "vitest";
import { delayAfter } from "../../../../src/adapters/postgres/lock-retry.ts";
import { luckFrom } from "../../../../src/adapters/postgres/luck.ts";

test.each([
  { failures: 1, luck: 0.5, delayMs: 400 },
  { failures: 2, luck: 0.5, delayMs: 800 },
  { failures: 3, luck: 0.5, delayMs: 1_600 },
  { failures: 25, luck: 0.5, delayMs: 1_600 },
  { failures: 3, luck: 0, delayMs: 800 },
])("after failure $failures users have $delayMs ms to themselves (luck $luck)", ({ failures, luck, delayMs }) => {
  expect(delayAfter(failures, luck)).toBe(delayMs);
});

test("the pauses of a seed repeat, and stay between 0.2 and 3 seconds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 50 }), (seed, count) => {
      const pauses = (luck: () => number) => Array.from({ length: count }, (_, index) => delayAfter(index + 1, luck()));
      const drawn = pauses(luckFrom(seed));
      expect(pauses(luckFrom(seed))).toEqual(drawn);
      for (const delayMs of drawn) expect(delayMs >= 200 && delayMs <= 3_000).toBe(true);
    }),
  );
});
