import { expect, test } from "vitest";
import { BATCH, createLimits, SINGLE } from "../../../../src/demo/venue/gateway/limits.ts";

test("sixty in two seconds pass, the next one does not, and a new window opens after two seconds", () => {
  let now = 0;
  const limits = createLimits(() => now);
  for (let count = 0; count < 60; count += 1) expect(limits.take("a", SINGLE, 1)).toBe(true);
  now = 1_999;
  expect(limits.take("a", SINGLE, 1)).toBe(false);
  expect(limits.take("b", SINGLE, 1)).toBe(true);
  now = 2_000;
  expect(limits.take("a", SINGLE, 1)).toBe(true);
});

test("a batch that does not fit takes nothing", () => {
  const limits = createLimits(() => 0);
  expect(limits.take("a", BATCH, 290)).toBe(true);
  expect(limits.take("a", BATCH, 11)).toBe(false);
  expect(limits.take("a", BATCH, 10)).toBe(true);
});

test("old keys are forgotten, so that memory stays bounded", () => {
  let now = 0;
  const limits = createLimits(() => now);
  for (let key = 0; key < 30_000; key += 1) {
    now += 1;
    expect(limits.take(String(key), SINGLE, 60)).toBe(true);
  }
  expect(limits.take("29999", SINGLE, 1)).toBe(false);
});
