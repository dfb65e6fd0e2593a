import { expect, test } from "vitest";
import { createHistogram } from "../../../../src/demo/traffic/histogram.ts";

test("quantiles are right to four in a hundred", () => {
  const histogram = createHistogram();
  for (let ms = 1; ms <= 1_000; ms++) histogram.add(ms);
  expect(histogram.quantile(0.5) / 500).toBeGreaterThan(0.99);
  expect(histogram.quantile(0.5) / 500).toBeLessThan(1.041);
  expect(histogram.quantile(0.99) / 990).toBeLessThan(1.041);
  expect(histogram.quantile(1)).toBe(1_000);
  expect(histogram.max()).toBe(1_000);
});

test("nothing counted has no quantile", () => {
  expect(createHistogram().quantile(0.99)).toBe(0);
});
