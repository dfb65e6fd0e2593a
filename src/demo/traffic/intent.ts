import { createHash } from "node:crypto";
import type { Ledger, LedgerOrder, Values } from "./ledger.ts";
import { pick } from "./random.ts";
import type { Arrival, Habits } from "./schedule.ts";

/** What a user needs to know of an instrument. */
export type Market = {
  readonly instId: string;
  readonly instIdCode: number;
  /** Decimal places of the tick and of the lot. */
  readonly pxDigits: number;
  readonly szDigits: number;
  /** Around which the orders lie. */
  readonly referencePx: number;
  /** Smallest size in use. */
  readonly unitSz: number;
};

/** What a user sends now. */
export type Intent =
  | {
      readonly kind: "order";
      readonly market: Market;
      readonly side: "buy" | "sell";
      readonly ordType: "post_only" | "limit" | "ioc";
      readonly values: Values;
    }
  | { readonly kind: "amend"; readonly order: LedgerOrder; readonly changed: "px" | "sz"; readonly values: Values }
  | { readonly kind: "cancel"; readonly order: LedgerOrder }
  | { readonly kind: "leverage"; readonly lever: string };

/**
 * Turns a user's wish into an operation on what he has resting. Who has too many cancels instead of placing;
 * who has none places instead of amending, and who has less than half of what he likes places instead of cancelling.
 */
export const intentOf = (arrival: Arrival, habits: Habits, ledger: Ledger, markets: readonly Market[]): Intent => {
  const [which, how, price, size] = arrival.draws;
  if (arrival.wish === "leverage") return { kind: "leverage", lever: String(1 + Math.floor(how * 10)) };
  const order = pick(ledger.idle(arrival.uid), which);
  const load = ledger.load(arrival.uid);
  const isFull = load >= habits.resting;
  if (arrival.wish === "place" && (!isFull || how >= 1 - TAKING_SHARE))
    return placing(arrival, how < 1 - TAKING_SHARE, markets);
  if (arrival.wish === "cancel" && load < habits.resting / 2) return placing(arrival, true, markets);
  if (order === undefined) return placing(arrival, !isFull, markets);
  if (arrival.wish !== "amend") return { kind: "cancel", order };
  const market = markets.find((one) => one.instId === order.instId);
  if (market === undefined) return { kind: "cancel", order };
  return how < 0.7
    ? { kind: "amend", order, changed: "px", values: { ...order.values, px: restingPx(market, order.side, price) } }
    : { kind: "amend", order, changed: "sz", values: { ...order.values, sz: sizeOf(market, size) } };
};

/** Client order ids of one run: unique among runs at the same venue. */
export const clientOrderIds = (startedAtMs: number, seed: number | string): ((index: number) => string) => {
  const run = createHash("sha256").update(`${startedAtMs}/${seed}/${process.pid}`).digest("hex").slice(0, 8);
  return (index) => `t${run}n${index.toString(36)}`;
};

// Three in ten orders never rest; of these one in ten is priced to trade. Enough trades for a market, few enough fills that most orders stay their user's.
const TAKING_SHARE = 0.3;
const CROSSING_SHARE = 0.1;
// How far from the reference resting orders lie: near enough for every price limit, never across it.
const NEAREST = 0.0005;
const FARTHEST = 0.01;

const placing = (arrival: Arrival, rests: boolean, markets: readonly Market[]): Intent => {
  const [which, how, price, size] = arrival.draws;
  const market = pick(markets, which);
  if (market === undefined) throw new RangeError("traffic needs at least one market");
  const side = fraction(which * 7919) < 0.5 ? "buy" : "sell";
  const sz = sizeOf(market, size);
  if (!rests) return { kind: "order", market, side, ordType: "ioc", values: { px: takingPx(market, side, price), sz } };
  const ordType = fraction(how * 104_729) < 0.8 ? "post_only" : "limit";
  return { kind: "order", market, side, ordType, values: { px: restingPx(market, side, price), sz } };
};

const restingPx = (market: Market, side: "buy" | "sell", draw: number): string => {
  const distance = NEAREST + draw * (FARTHEST - NEAREST);
  return (market.referencePx * (side === "buy" ? 1 - distance : 1 + distance)).toFixed(market.pxDigits);
};

const takingPx = (market: Market, side: "buy" | "sell", draw: number): string => {
  const reach = draw < CROSSING_SHARE ? 3 * NEAREST : -NEAREST;
  return (market.referencePx * (side === "buy" ? 1 + reach : 1 - reach)).toFixed(market.pxDigits);
};

const sizeOf = (market: Market, draw: number): string =>
  (market.unitSz * (1 + Math.floor(draw * 9))).toFixed(market.szDigits);

const fraction = (value: number): number => value - Math.floor(value);
