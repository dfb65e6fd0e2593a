import { describe, expect, test } from "vitest";
import { dispersionOf } from "../../../src/guard/detector/baseline.ts";
import { measure, measuredBy, NOTHING_MEASURED, type Measuring } from "../../../src/guard/measuring.ts";

/** Ten outcomes a second, so many of which failed. */
const measured = (...failures: readonly number[]): Measuring =>
  failures.reduce(
    (measuring, failed, index) => measure(measuring, { issued: 10, failed }, 1_000 + index * 1_000),
    NOTHING_MEASURED,
  );

describe("what is measured", () => {
  test("spreads as its seconds do, the one that runs included", () => {
    expect(measuredBy(measured(3, 0, 6))).toEqual({
      issued: 30,
      failed: 9,
      dispersion: dispersionOf({ seconds: 3, failed: 9, squares: 45 }),
    });
    expect(measuredBy(measured(3, 3, 3)).dispersion).toBe(0);
    expect(measuredBy(measured(9, 0, 0)).dispersion).toBeCloseTo(9, 9);
    expect(measuredBy(measured(9)).dispersion).toBe(1);
  });

  test("is nothing by a second in which nothing was counted", () => {
    const before = measured(3, 0);
    expect(measure(before, { issued: 0, failed: 0 }, 9_000)).toBe(before);
  });
});
