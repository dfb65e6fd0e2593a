import type { Found, Instrument, Metadata } from "../../src/demo/venue/gateway/metadata.ts";

/** Metadata in memory, with rows that can be taken away. */
export type FakeMetadata = Metadata & {
  /** Takes the route of an account away, as a bad update would. */
  lose(uid: string): void;
  behave(how: "well" | "down" | "broken"): void;
};

const instrument = (instId: string, instIdCode: number, tickSz: string, lotSz: string): Instrument => ({
  instId,
  instIdCode,
  tickSz,
  lotSz,
  instType: "SPOT",
  baseCcy: instId.split("-")[0] ?? "",
  quoteCcy: instId.split("-")[1] ?? "",
  minSz: lotSz,
  maxLmtSz: "1000000",
  state: "live",
  lowerPct: "50",
  upperPct: "50",
});

export const INSTRUMENTS: readonly Instrument[] = [
  instrument("BTC-USDT", 3, "0.1", "0.00000001"),
  instrument("ETH-USDT", 4, "0.01", "0.000001"),
  instrument("PROBE-USDT", 900, "0.01", "0.01"),
];

export const fakeMetadata = (): FakeMetadata => {
  const lost = new Set<string>();
  const levers = new Map<string, string>();
  let how: "well" | "down" | "broken" = "well";
  const found = <T>(value: T | undefined): Promise<Found<T>> => {
    if (how !== "well") return Promise.resolve({ kind: how, reason: "as told" });
    return Promise.resolve(value === undefined ? { kind: "missing" } : { kind: "found", value });
  };
  return {
    lose: (uid) => void lost.add(uid),
    behave(next) {
      how = next;
    },
    account: (uid) =>
      found(
        lost.has(uid)
          ? undefined
          : {
              uid,
              shard: Number(uid) % 10,
              status: "normal",
              tier: "regular",
              makerFee: "0.0008",
              takerFee: "0.001",
              engine: "main",
            },
      ),
    instruments: () => found(INSTRUMENTS),
    leverage: (uid) => found(levers.get(uid) ?? "1"),
    setLeverage(uid, lever) {
      levers.set(uid, lever);
      return found(lever);
    },
    close: () => Promise.resolve(),
  };
};
