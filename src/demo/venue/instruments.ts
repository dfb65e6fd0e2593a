/** What the engines of the demo venue trade. Tick and lot are those of the metadata; `last` is the price of the day before. */
export const INSTRUMENTS = [
  { instId: "BTC-USDT", tickSz: "0.1", lotSz: "0.00000001", last: "60000" },
  { instId: "ETH-USDT", tickSz: "0.01", lotSz: "0.000001", last: "3000" },
  { instId: "PROBE-USDT", tickSz: "0.01", lotSz: "0.01", last: "100" },
] as const;
