import { expect, test } from "vitest";
import fc from "fast-check";
import { luckOfKeepingTo } from "../../../src/guard/luck.ts";

const choices = (all: number, some: number): number => {
  let product = 1;
  for (let index = 0; index < some; index++) product *= (all - index) / (index + 1);
  return product;
};

test("all failures in one group of three: the ways to choose it times the hypergeometric chance", () => {
  const luck = luckOfKeepingTo({ count: 1, issued: 10, failed: 5 }, { count: 3, issued: 30, failed: 5 });
  expect(luck).toBeCloseTo((3 * choices(10, 5)) / choices(30, 5), 12);
});

test("two groups of ten may be chosen in 45 ways", () => {
  const luck = luckOfKeepingTo({ count: 2, issued: 9, failed: 6 }, { count: 10, issued: 36, failed: 6 });
  expect(luck).toBeCloseTo((45 * choices(9, 6)) / choices(36, 6), 12);
});

test("where some fail elsewhere, which ones do is counted by the entropy of the split", () => {
  const luck = luckOfKeepingTo({ count: 1, issued: 10, failed: 4 }, { count: 3, issued: 30, failed: 5 });
  expect(luck).toBeCloseTo(3 * (0.8 ** -4 * 0.2 ** -1) * (choices(10, 4) / choices(30, 4)), 12);
});

test("failures by the thousand take no time, and are drawn as if put back from the 20th on", () => {
  const luck = luckOfKeepingTo({ count: 1, issued: 100, failed: 24 }, { count: 2, issued: 120, failed: 24 });
  expect(luck).toBeCloseTo(2 * (choices(100, 20) / choices(120, 20)) * (80 / 100) ** 4, 12);
  expect(luckOfKeepingTo({ count: 1, issued: 1e12, failed: 1e9 }, { count: 2, issued: 2e12, failed: 1e9 })).toBe(0);
});

test("where nothing failed, luck explains it", () => {
  expect(luckOfKeepingTo({ count: 0, issued: 0, failed: 0 }, { count: 4, issued: 9, failed: 0 })).toBe(1);
});

test("is never below the chance that blind failures keep to so few groups", () => {
  const groups = fc.record({ sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 6 }) });
  fc.assert(
    fc.property(groups, fc.nat(), fc.nat(), ({ sizes }, a, b) => {
      const issued = sizes.reduce((sum, size) => sum + size, 0);
      const first = sizes[0] ?? 1;
      const failed = 1 + (a % issued);
      const hot = 1 + (b % Math.min(failed, first));
      let tail = 0;
      for (let there = hot; there <= Math.min(failed, first); there++)
        tail += (choices(first, there) * choices(issued - first, failed - there)) / choices(issued, failed);
      const bound = luckOfKeepingTo({ count: 1, issued: first, failed: hot }, { count: sizes.length, issued, failed });
      expect(bound).toBeGreaterThanOrEqual(tail * (1 - 1e-9));
    }),
  );
});
