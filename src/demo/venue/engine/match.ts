import { needOf } from "./balances.ts";
import { least, showDecimal, times } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import type { Entry } from "./entry.ts";
import { isOpen, remainingOf, showOrder } from "./order.ts";
import type { Order } from "./order.ts";
import type { EngineEvent, Side } from "./protocol.ts";
import type { EngineState, Market } from "./state.ts";

/** One entry at work: what it changes, and what it has to tell. */
export type Turn = {
  readonly state: EngineState;
  readonly market: Market;
  readonly entry: Entry;
  readonly events: EngineEvent[];
};

type Reason = Extract<EngineEvent, { readonly event: "order-update" }>["reason"];

/** Reports an order as it is now. */
export const tell = (turn: Turn, order: Order, reason: Reason, reqId?: string): void => {
  turn.events.push({
    event: "order-update",
    order: showOrder(order),
    reason,
    ...(reqId !== undefined && reqId !== "" && { reqId }),
  });
};

/** Sets aside what the rest of an order needs, or gives it back. Market orders pay at once and set nothing aside. */
export const setAside = (turn: Turn, order: Order, sz: Decimal, direction: "freeze" | "free"): void => {
  if (order.px === 0n) return;
  const { ccy, amount } = needOf(turn.market.instrument, order.side, order.px, sz);
  turn.state.balances[direction](order.uid, ccy, amount);
};

/** Trades an incoming order against the book until it is filled or nothing meets its price. A user may trade with itself. */
export const trade = (turn: Turn, taker: Order): void => {
  for (let maker = meets(turn, taker); maker !== undefined; maker = meets(turn, taker)) exchange(turn, taker, maker);
};

/** Whether the order would trade at once. */
export const wouldTake = (turn: Turn, order: Order): boolean =>
  turn.market.book.bestAgainst(order.side, order.px) !== undefined;

/** How much of `sz` the book offers within the limit, and what that costs or brings. A limit of 0 accepts any price. */
export const offered = (
  market: Market,
  side: Side,
  limit: Decimal,
  sz: Decimal,
): { readonly sz: Decimal; readonly worth: Decimal } => {
  let [found, worth] = [0n, 0n];
  for (const maker of market.book.against(side, limit)) {
    const part = least(remainingOf(maker), sz - found);
    found += part;
    worth += times(maker.px, part);
    if (found === sz) break;
  }
  return { sz: found, worth };
};

/** Lets the rest of an order wait in the book. */
export const rest = (turn: Turn, order: Order): void => {
  if (!isOpen(order)) return;
  turn.market.book.add(order);
  turn.market.changedAt = turn.entry.at;
};

/** Ends an open order and gives back what was set aside for its rest. `cancelSource` as in OKX V5. */
export const cancel = (turn: Turn, order: Order, cancelSource: string): void => {
  setAside(turn, order, remainingOf(order), "free");
  turn.market.book.remove(order);
  turn.market.changedAt = turn.entry.at;
  order.state = "canceled";
  order.cancelSource = cancelSource;
  order.uTime = turn.entry.at;
  turn.state.orders.close(order);
};

const meets = (turn: Turn, taker: Order): Order | undefined =>
  remainingOf(taker) === 0n ? undefined : turn.market.book.bestAgainst(taker.side, taker.px);

const exchange = (turn: Turn, taker: Order, maker: Order): void => {
  const { market, state, entry, events } = turn;
  const px = maker.px;
  const sz = least(remainingOf(taker), remainingOf(maker));
  setAside(turn, maker, sz, "free");
  setAside(turn, taker, sz, "free");
  const [buyer, seller] = taker.side === "buy" ? [taker.uid, maker.uid] : [maker.uid, taker.uid];
  state.balances.settle(market.instrument, buyer, seller, px, sz);
  market.trades += 1;
  const tradeId = String(market.trades);
  for (const order of [taker, maker]) fill(turn, order, { px, sz, at: entry.at, tradeId });
  if (isOpen(maker)) market.book.touch();
  else market.book.remove(maker);
  Object.assign(market, { last: px, lastSz: sz, volume: market.volume + sz, changedAt: entry.at });
  tell(turn, taker, "fill");
  tell(turn, maker, "fill");
  events.push({
    event: "trade",
    instId: taker.instId,
    px: showDecimal(px),
    sz: showDecimal(sz),
    side: taker.side,
    tradeId,
    ts: entry.at,
  });
};

const fill = (turn: Turn, order: Order, done: NonNullable<Order["lastFill"]>): void => {
  order.filled += done.sz;
  order.worth += times(done.px, done.sz);
  order.lastFill = done;
  order.uTime = done.at;
  order.state = remainingOf(order) === 0n ? "filled" : "partially_filled";
  if (order.state === "filled") turn.state.orders.close(order);
};
