import { expect, test } from "vitest";
import { distance, nearest, suggest } from "../../../src/plan/nearest.ts";

test.each([
  ["gatway", ["gateway", "orders-db"], "gateway"],
  ["Gateway", ["gateway"], "gateway"],
  ["bacth", ["batch", "surge"], "batch"],
  ["on", ["no", "off"], "no"],
  ["zzz", ["gateway"], undefined],
  ["x", [], undefined],
])("for %s of %j the guess is %s", (word, candidates, guess) => {
  expect(nearest(word, candidates)).toBe(guess);
});

test("two neighbours swapped count as one slip", () => {
  expect(distance("bacth", "batch")).toBe(1);
  expect(distance("", "abc")).toBe(3);
});

test("without a guess a short list of what there is helps", () => {
  expect(suggest("zzz", ["gateway", "orders-db"])).toBe("there are: gateway, orders-db");
  expect(suggest("zzz", [])).toBeUndefined();
  expect(
    suggest(
      "zzz",
      Array.from({ length: 30 }, (_, index) => `component-${index}`),
    ),
  ).toContain("and 10 more");
});

test("a word as long as a file costs no time", () => {
  expect(nearest("x".repeat(1_000_000), ["gateway"])).toBeUndefined();
});
