import { expect, test } from "vitest";
import { NOISE_CODE, readNoise, withNoise } from "../../../../src/demo/venue/gateway/noise.ts";
import { outcomeOf, type Operations } from "../../../../src/demo/venue/gateway/operations.ts";

const fine = (): Promise<ReturnType<typeof outcomeOf>> => Promise.resolve(outcomeOf("0", {}));
const flawless: Operations = { place: fine, amend: fine, cancel: fine };
const ask = { uid: "1", instId: "BTC-USDT", clOrdId: "a" };

const codes = async (seed: string, count: number): Promise<readonly string[]> => {
  const noisy = withNoise(flawless, { seed, share: 0.001, burst: 4 }, "gateway-1");
  return Promise.all(Array.from({ length: count }, async () => (await noisy.cancel(ask)).code));
};

test("a healthy gateway fails about one operation in a thousand, in small bursts", async () => {
  const all = await codes("1", 200_000);
  const failed = all.filter((code) => code === NOISE_CODE).length;
  expect(failed / all.length).toBeGreaterThan(0.0006);
  expect(failed / all.length).toBeLessThan(0.0016);
  const bursts = all.join(",").match(new RegExp(`(${NOISE_CODE},?)+`, "g")) ?? [];
  expect(Math.max(...bursts.map((burst) => burst.split(NOISE_CODE).length - 1))).toBeLessThanOrEqual(8);
  expect(bursts.some((burst) => burst.split(NOISE_CODE).length - 1 >= 3)).toBe(true);
});

test("the same seed fails the same operations", async () => {
  expect(await codes("7", 5_000)).toEqual(await codes("7", 5_000));
  expect(await codes("7", 5_000)).not.toEqual(await codes("8", 5_000));
});

test("without GATEWAY_NOISE a gateway is flawless", () => {
  expect(readNoise(undefined)).toBeUndefined();
  expect(withNoise(flawless, readNoise(""), "x")).toBe(flawless);
});
