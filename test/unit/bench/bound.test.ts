import { expect, test } from "vitest";
import { exactBound, meanRunLength } from "../../../bench/guard/bound.ts";

test.each([
  { walk: { p: 0.1, down: 1, up: 3, level: 6 }, wanted: 91.884984 },
  { walk: { p: 0.5, down: 1, up: 3, level: 6 }, wanted: 5.333333 },
  { walk: { p: 0.1, down: 2, up: 5, level: 12 }, wanted: 325.338636 },
  { walk: { p: 0.4, down: 2, up: 5, level: 12 }, wanted: 11.186134 },
])("the mean run length of a walk equals its reference: $wanted", ({ walk, wanted }) => {
  expect(meanRunLength(walk)).toBeCloseTo(wanted, 6);
});

test.each([
  { p0: 0.001, p1: 0.3, perSec: 50, samples: 12.261255 },
  { p0: 0.001, p1: 0.3, perSec: 500, samples: 13.600264 },
  { p0: 0.001, p1: 0.05, perSec: 50, samples: 102.158317 },
])("no rule at $perSec/s finds a rate of $p1 sooner than after $samples outcomes", (row) => {
  const bound = exactBound(row.p0, row.p1, row.perSec * 30 * 86_400);
  expect(bound.samples).toBeCloseTo(row.samples, 5);
});

test("a total failure takes as many in a row as luck does not bring", () => {
  expect([50, 500].map((perSec) => exactBound(0.001, 1, perSec * 30 * 86_400).samples)).toEqual([3, 4]);
});
