import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Backend } from "../../../../src/demo/venue/balancer/backend.ts";
import { createChoice } from "../../../../src/demo/venue/balancer/choice.ts";

const pool = (weights: readonly number[]): readonly Backend[] =>
  weights.map((weight, index) => ({ id: `g${index}`, address: `127.0.0.1:${7_000 + index}`, release: "1.0", weight }));

test("over any stretch each backend gets its share, to one request", () => {
  const weights = fc
    .array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 })
    .filter((all) => all.some((weight) => weight > 0));
  const fair = fc.property(weights, (all) => {
    const [backends, choose, total] = [pool(all), createChoice(), all.reduce((sum, weight) => sum + weight, 0)];
    const counts = new Map<string, number>();
    for (let turn = 0; turn < total; turn += 1) {
      const id = choose(backends)?.id ?? "";
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    for (const { id, weight } of backends) expect(counts.get(id) ?? 0).toBe(weight);
  });
  fc.assert(fair, { numRuns: 50 });
});

test("a backend with weight 0 is never chosen, and nobody is when all have 0", () => {
  const choose = createChoice();
  for (let turn = 0; turn < 20; turn += 1) expect(choose(pool([0, 1]))?.id).toBe("g1");
  expect(choose(pool([0, 0]))).toBeUndefined();
  expect(choose([])).toBeUndefined();
});

test("a weight of 0 counts from the very next request, and a backend that comes back is not flooded", () => {
  const choose = createChoice();
  for (let turn = 0; turn < 7; turn += 1) choose(pool([100, 100, 100]));
  for (let turn = 0; turn < 50; turn += 1) expect(choose(pool([0, 100, 100]))?.id).not.toBe("g0");
  const after = Array.from({ length: 6 }, () => choose(pool([100, 100, 100]))?.id);
  expect(after.filter((id) => id === "g0")).toHaveLength(2);
});
