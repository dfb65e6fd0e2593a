import { expect, test } from "vitest";
import { createRoute } from "../../../../src/demo/traffic/route.ts";

const steady = (): number => 0.5;

test("after a failure at home the next operation goes to the other region, and home again when home serves", () => {
  let isServing = false;
  const route = createRoute("tokyo", () => isServing, steady);
  expect(route.region(0)).toBe("tokyo");
  route.failed("tokyo", 0);
  expect(route.region(1)).toBe("frankfurt");
  expect(route.region(5_000)).toBe("frankfurt");
  isServing = true;
  expect(route.region(5_001)).toBe("tokyo");
});

test("each failure at home keeps its user away for longer", () => {
  const route = createRoute("tokyo", () => true, steady);
  route.failed("tokyo", 0);
  expect([route.region(999), route.region(1_000)]).toEqual(["frankfurt", "tokyo"]);
  route.failed("tokyo", 1_000);
  expect([route.region(2_999), route.region(3_000)]).toEqual(["frankfurt", "tokyo"]);
  route.worked("tokyo");
  route.failed("tokyo", 3_000);
  expect([route.region(3_999), route.region(4_000)]).toEqual(["frankfurt", "tokyo"]);
});

test("operations that were under way when home failed count once", () => {
  const route = createRoute("tokyo", () => true, steady);
  route.failed("tokyo", 0);
  route.failed("tokyo", 10);
  expect(route.region(1_000)).toBe("tokyo");
});

test("when the other region fails too, home is tried next", () => {
  const route = createRoute("tokyo", () => false, steady);
  route.failed("tokyo", 0);
  route.failed("frankfurt", 10);
  expect(route.region(20)).toBe("tokyo");
});
