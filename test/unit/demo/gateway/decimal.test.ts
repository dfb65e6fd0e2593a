import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  floorTo,
  formatDecimal,
  isMultiple,
  over,
  parseDecimal,
  shiftedBy,
} from "../../../../src/demo/venue/gateway/decimal.ts";

const read = (text: string): bigint => parseDecimal(text) ?? -1n;

test.each(["", "-1", "+1", "1e3", "0x1", ".5", "5.", "1.2.3", " 1", "NaN", "1.0000000000000000001"])(
  "%j is no decimal",
  (text) => {
    expect(parseDecimal(text)).toBeUndefined();
  },
);

test("writing and reading again yields the same number", () => {
  const same = fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), (value) => {
    expect(parseDecimal(formatDecimal(value))).toBe(value);
  });
  fc.assert(same);
});

test.each([
  { value: "60000.1", step: "0.1", is: true },
  { value: "60000.15", step: "0.1", is: false },
  { value: "0.3", step: "0.1", is: true },
  { value: "1", step: "0", is: false },
])("$value in steps of $step: $is", ({ value, step, is }) => {
  expect(isMultiple(read(value), read(step))).toBe(is);
});

test("arithmetic is exact", () => {
  expect(formatDecimal(shiftedBy(read("60000.1"), read("50"), 1n))).toBe("90000.15");
  expect(formatDecimal(shiftedBy(read("60000.1"), read("50"), -1n))).toBe("30000.05");
  expect(formatDecimal(floorTo(over(read("100"), read("3")), read("0.01")))).toBe("33.33");
});
