import { describe, expect, test } from "vitest";
import { cleanOutcomesNeeded, isProvedHealthy, logHealth } from "../../../src/guard/health.ts";

describe("evidence of health", () => {
  test("equals the reference values", () => {
    expect(logHealth({ issued: 763, failed: 0 }, 1, 0.1)).toBeCloseTo(6.905025, 6);
    expect(logHealth({ issued: 764, failed: 0 }, 1, 0.1)).toBeCloseTo(6.914074, 6);
    expect(logHealth({ issued: 1000, failed: 1 }, 1, 0.1)).toBeCloseTo(6.738201, 6);
  });

  test.each([
    { excludePct: 0.5, confidencePct: 99, needed: 1148 },
    { excludePct: 0.5, confidencePct: 99.9, needed: 1722 },
    { excludePct: 1, confidencePct: 99, needed: 509 },
    { excludePct: 1, confidencePct: 99.9, needed: 764 },
    { excludePct: 5, confidencePct: 99, needed: 92 },
    { excludePct: 5, confidencePct: 99.99, needed: 184 },
  ])("$needed clean outcomes exclude $excludePct % with $confidencePct %", ({ excludePct, confidencePct, needed }) => {
    expect(cleanOutcomesNeeded(excludePct, confidencePct, 0.1)).toBe(needed);
    expect(isProvedHealthy({ issued: needed, failed: 0 }, { excludePct, confidencePct }, 0.1)).toBe(true);
    expect(isProvedHealthy({ issued: needed - 1, failed: 0 }, { excludePct, confidencePct }, 0.1)).toBe(false);
  });

  test("no data is never health", () => {
    expect(isProvedHealthy({ issued: 0, failed: 0 }, { excludePct: 5, confidencePct: 0 }, 0.1)).toBe(false);
  });

  test("one failure costs what 78 successes earn, at 5 %", () => {
    expect(logHealth({ issued: 79, failed: 1 }, 5, 0.1)).toBeGreaterThan(0);
    expect(logHealth({ issued: 77, failed: 1 }, 5, 0.1)).toBeLessThan(0);
  });

  test("a rate below the baseline is never excluded by a handful of outcomes", () => {
    expect(isProvedHealthy({ issued: 1000, failed: 0 }, { excludePct: 0.01, confidencePct: 99 }, 0.1)).toBe(false);
  });

  test("a rate at or below the baseline takes as many outcomes as one just above it", () => {
    const needed = cleanOutcomesNeeded(0.101, 99, 0.1);
    expect(needed).toBeGreaterThan(455_000);
    expect(needed).toBeLessThan(465_000);
    for (const excludePct of [0, 0.01, 0.1, 0.1005]) expect(cleanOutcomesNeeded(excludePct, 99, 0.1)).toBe(needed);
    expect(cleanOutcomesNeeded(0.102, 99, 0.1)).toBeLessThan(0.6 * needed);
  });

  test("a baseline of nothing is one in a million", () => {
    expect(logHealth({ issued: 10, failed: 1 }, 5, 0)).toBeCloseTo(logHealth({ issued: 10, failed: 1 }, 5, 0.0001), 9);
    expect(logHealth({ issued: 10, failed: 1 }, 5, 0)).toBeLessThan(logHealth({ issued: 10, failed: 1 }, 5, 0.0002));
  });

  test("one success excludes for certain that everything fails, and no number of failures does", () => {
    const certain = { excludePct: 100, confidencePct: 100 };
    expect(isProvedHealthy({ issued: 1, failed: 0 }, certain, 0.1)).toBe(true);
    expect(isProvedHealthy({ issued: 9, failed: 9 }, certain, 0.1)).toBe(false);
    expect(isProvedHealthy({ issued: 1e9, failed: 0 }, { excludePct: 5, confidencePct: 100 }, 0.1)).toBe(false);
  });

  test("millions of outcomes do not overflow", () => {
    expect(logHealth({ issued: 5e7, failed: 4e7 }, 5, 0.1)).toBeLessThan(-1e6);
    expect(Number.isFinite(logHealth({ issued: 5e7, failed: 5e7 }, 5, 0.1))).toBe(true);
  });
});
