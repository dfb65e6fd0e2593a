import { readDecimal, showDecimal, times } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import type { Side } from "./protocol.ts";

/** What users own, and what of it is set aside for their resting orders. */
export type Balances = {
  available(uid: string, ccy: string): Decimal;
  /** Sets an amount aside. The caller has looked that it is there. */
  freeze(uid: string, ccy: string, amount: Decimal): void;
  /** Gives back what `freeze` set aside. */
  free(uid: string, ccy: string, amount: Decimal): void;
  /** Moves what a trade of `sz` at `px` exchanges; what was set aside for it must be free by then. */
  settle(instrument: Instrument, buyer: string, seller: string, px: Decimal, sz: Decimal): void;
  show(uid: string): readonly { readonly ccy: string; readonly available: string; readonly frozen: string }[];
};

type Purse = { available: Decimal; frozen: Decimal };

/** What every user owns at first sight. */
const GIFT: Readonly<Record<string, string>> = { USDT: "1000000", BTC: "1000", ETH: "10000" };
const USUAL_GIFT = "1000000";

export const createBalances = (instruments: readonly Instrument[]): Balances => {
  const users = new Map<string, Map<string, Purse>>();
  const currencies = [...new Set(instruments.flatMap(({ quote, base }) => [quote, base]))];
  const fresh = (): Map<string, Purse> =>
    new Map(currencies.map((ccy) => [ccy, { available: giftOf(ccy), frozen: 0n }]));
  const purse = (uid: string, ccy: string): Purse => {
    const purses = users.get(uid) ?? fresh();
    users.set(uid, purses);
    const found = purses.get(ccy) ?? { available: 0n, frozen: 0n };
    purses.set(ccy, found);
    return found;
  };
  const move = (uid: string, ccy: string, available: Decimal, frozen: Decimal): void => {
    const found = purse(uid, ccy);
    found.available += available;
    found.frozen += frozen;
  };
  return {
    // A user who was never seen costs no memory until it trades.
    available: (uid, ccy) => (users.get(uid) ?? fresh()).get(ccy)?.available ?? 0n,
    freeze: (uid, ccy, amount) => move(uid, ccy, -amount, amount),
    free: (uid, ccy, amount) => move(uid, ccy, amount, -amount),
    settle(instrument, buyer, seller, px, sz) {
      const worth = times(px, sz);
      move(buyer, instrument.quote, -worth, 0n);
      move(buyer, instrument.base, sz, 0n);
      move(seller, instrument.base, -sz, 0n);
      move(seller, instrument.quote, worth, 0n);
    },
    show: (uid) =>
      [...(users.get(uid) ?? fresh())].map(([ccy, { available, frozen }]) => ({
        ccy,
        available: showDecimal(available),
        frozen: showDecimal(frozen),
      })),
  };
};

const giftOf = (ccy: string): Decimal => readDecimal(GIFT[ccy] ?? USUAL_GIFT) ?? 0n;

/** What an order of this size and price needs: the quote currency to buy, the base currency to sell. */
export const needOf = (
  instrument: Instrument,
  side: Side,
  px: Decimal,
  sz: Decimal,
): { readonly ccy: string; readonly amount: Decimal } =>
  side === "buy" ? { ccy: instrument.quote, amount: times(px, sz) } : { ccy: instrument.base, amount: sz };
