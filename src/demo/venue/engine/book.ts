import { showDecimal } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import { remainingOf } from "./order.ts";
import type { Order } from "./order.ts";
import type { Level, Side } from "./protocol.ts";

/** The resting orders of one instrument by price, and within a price by the time they came. */
export type Book = {
  /** Puts an order behind all others of its price. */
  add(order: Order): void;
  /** Takes an order out; one that does not rest changes nothing. */
  remove(order: Order): void;
  /** Tells the book that the order's size changed in place: it keeps its turn. */
  touch(): void;
  /** The order that an incoming one of `side` meets first, if its price allows; a limit of 0 accepts any price. */
  bestAgainst(side: Side, limit: Decimal): Order | undefined;
  /** All orders that an incoming one of `side` may meet, best first. */
  against(side: Side, limit: Decimal): Iterable<Order>;
  levels(side: Side, depth: number): readonly Level[];
  /** Grows with every change. */
  readonly seqId: number;
};

type PriceLevel = { readonly px: Decimal; readonly orders: Map<string, Order> };

export const createBook = (): Book => {
  const bids: PriceLevel[] = [];
  const asks: PriceLevel[] = [];
  let seqId = 0;
  const sideOf = (side: Side): PriceLevel[] => (side === "buy" ? bids : asks);
  const opposite = (side: Side): PriceLevel[] => (side === "buy" ? asks : bids);

  return {
    get seqId() {
      return seqId;
    },
    add(order) {
      const levels = sideOf(order.side);
      const index = placeOf(levels, order.side, order.px);
      const level = levels[index];
      if (level?.px === order.px) level.orders.set(order.ordId, order);
      else levels.splice(index, 0, { px: order.px, orders: new Map([[order.ordId, order]]) });
      seqId += 1;
    },
    remove(order) {
      const levels = sideOf(order.side);
      const index = placeOf(levels, order.side, order.px);
      const level = levels[index];
      if (level?.px !== order.px || !level.orders.delete(order.ordId)) return;
      if (level.orders.size === 0) levels.splice(index, 1);
      seqId += 1;
    },
    touch() {
      seqId += 1;
    },
    bestAgainst(side, limit) {
      const level = opposite(side)[0];
      if (level === undefined || !isWithin(side, level.px, limit)) return undefined;
      return level.orders.values().next().value;
    },
    *against(side, limit) {
      for (const level of opposite(side)) {
        if (!isWithin(side, level.px, limit)) return;
        yield* level.orders.values();
      }
    },
    levels: (side, depth) => sideOf(side).slice(0, depth).map(showLevel),
  };
};

const isWithin = (side: Side, px: Decimal, limit: Decimal): boolean =>
  limit === 0n || (side === "buy" ? px <= limit : px >= limit);

const isBefore = (side: Side, left: Decimal, right: Decimal): boolean => (side === "buy" ? left > right : left < right);

/** Where a price stands, or would stand, among levels sorted best first. */
const placeOf = (levels: readonly PriceLevel[], side: Side, px: Decimal): number => {
  let [low, high] = [0, levels.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const level = levels[middle];
    if (level !== undefined && isBefore(side, level.px, px)) low = middle + 1;
    else high = middle;
  }
  return low;
};

const showLevel = ({ px, orders }: PriceLevel): Level => {
  let total = 0n;
  for (const order of orders.values()) total += remainingOf(order);
  return [showDecimal(px), showDecimal(total), orders.size];
};
