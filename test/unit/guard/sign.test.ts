import fc from "fast-check";
import { expect, test } from "vitest";
import { foldSigns, freshSignTest, signEvidence, type SignTest } from "../../../src/guard/sign.ts";

const clean = { issued: 10, failed: 0 };
const failing = { issued: 10, failed: 3 };
// A pause between the bins, so that none of them rests.
const play = (sides: string): SignTest =>
  sides.split("").reduce(
    (soFar, side, index) =>
      foldSigns(soFar, side === "c" ? failing : clean, side === "c" ? clean : failing, {
        from: index * 1000,
        to: index * 1000 + 100,
      }),
    freshSignTest,
  );

// The reference values let the suspicion begin at any bin: the sum over all beginnings.
const fromAnyBin = (sides: string): number =>
  sides.split("").reduce((sum, _, index) => sum + signEvidence(play(sides.slice(index))), 0);

test("paired signs equal the reference values", () => {
  expect(fromAnyBin("c")).toBeCloseTo(1.5498, 6);
  expect(fromAnyBin("cc")).toBeCloseTo(4.034, 6);
  expect(fromAnyBin("cco")).toBeCloseTo(1.928898, 6);
  expect(fromAnyBin("ccoc")).toBeCloseTo(4.271763, 6);
  expect(fromAnyBin("c".repeat(22))).toBeLessThan(1.24893e6);
  expect(fromAnyBin("c".repeat(23))).toBeGreaterThan(1.24893e6);
});

test("a bin right after a failing one is skipped, so that a burst counts once", () => {
  const first = foldSigns(freshSignTest, failing, clean, { from: 0, to: 100 });
  expect(signEvidence(foldSigns(first, failing, clean, { from: 100, to: 200 }))).toBe(signEvidence(first));
});

test("sides of different size that fail alike are no evidence on average", () => {
  const alike = fc.property(
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 12 }),
    fc.double({ min: 0.001, max: 0.6, noNaN: true }),
    (small, large, rate) => {
      let mean = 0;
      for (let a = 0; a <= small; a++)
        for (let b = 0; b <= large; b++) {
          const folded = foldSigns(
            freshSignTest,
            { issued: small, failed: a },
            { issued: large, failed: b },
            { from: 0, to: 100 },
          );
          mean += binomial(small, a, rate) * binomial(large, b, rate) * signEvidence(folded);
        }
      expect(mean).toBeCloseTo(1, 6);
    },
  );
  fc.assert(alike, { numRuns: 50 });
});

test("a side without outcomes proves nothing", () => {
  const folded = foldSigns(freshSignTest, failing, { issued: 0, failed: 0 }, { from: 0, to: 100 });
  expect(signEvidence(folded)).toBe(1);
});

const binomial = (n: number, k: number, p: number): number => {
  let ways = 1;
  for (let index = 0; index < k; index++) ways = (ways * (n - index)) / (index + 1);
  return ways * p ** k * (1 - p) ** (n - k);
};
