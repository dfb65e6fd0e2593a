import { describe, expect, test } from "vitest";
import { DEFAULT_EXPOSURE, limitExposure } from "../../../../src/adapters/guard-thread/exposure.ts";
import { inLots, type Market } from "../../../../src/adapters/guard-thread/market.ts";

const marketOf = (notional: number): Market => ({
  instId: "BTC-USDT",
  instType: "SPOT",
  quote: "USDT",
  sz: "0.00001",
  lotSz: "0.00000001",
  px: () => "1",
  sellPx: () => "1",
  notional,
});

describe("what probes have at stake", () => {
  test("is never more orders than stated, and room comes back when one is gone", () => {
    const exposure = limitExposure({ orders: 2 });
    exposure.add("a", marketOf(1));
    expect(exposure.trouble(marketOf(1))).toBeUndefined();
    exposure.add("b", marketOf(1));
    expect(exposure.trouble(marketOf(1))).toBe(
      "probe orders rest or are held: 2, worth 2 USDT, and the environment allows 2 orders and 1000 USDT",
    );
    exposure.remove("a");
    expect(exposure.trouble(marketOf(1))).toBeUndefined();
  });

  test("is never worth more than stated, and an order counts once", () => {
    const exposure = limitExposure({ notional: 100 });
    exposure.add("a", marketOf(60));
    exposure.add("a", marketOf(60));
    expect(exposure.trouble(marketOf(40))).toBeUndefined();
    expect(exposure.trouble(marketOf(41))).toMatch(/worth 60 USDT/);
    exposure.remove("a");
    exposure.remove("a");
    expect(exposure.trouble(marketOf(100))).toBeUndefined();
  });

  test("excludes an instrument whose smallest order is worth more", () => {
    expect(limitExposure({ notional: 10 }).trouble(marketOf(42))).toMatch(
      /^one probe order for BTC-USDT is worth 42 USDT, and the environment allows 200 orders and 10 USDT/,
    );
  });

  test("is 200 orders and 1000 where nothing is stated", () => {
    expect(DEFAULT_EXPOSURE).toEqual({ orders: 200, notional: 1_000 });
  });
});

test.each([
  { amount: 0.01, lotSz: "0.01", lots: "0.01" },
  { amount: 0.29, lotSz: "0.01", lots: "0.29" },
  { amount: 0.019_99, lotSz: "0.01", lots: "0.01" },
  { amount: 0.000_012_34, lotSz: "0.00000001", lots: "0.00001234" },
  { amount: 5, lotSz: "1", lots: "5" },
  { amount: -1, lotSz: "0.1", lots: "0.0" },
])("$amount in lots of $lotSz is sold as $lots, never more", ({ amount, lotSz, lots }) => {
  expect(inLots(amount, lotSz)).toBe(lots);
});
