import { needOf } from "./balances.ts";
import { readDecimal } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import type { Command, Entry } from "./entry.ts";
import { cancel, rest, setAside, tell, trade, wouldTake } from "./match.ts";
import type { Turn } from "./match.ts";
import { isOpen, remainingOf, showOrder } from "./order.ts";
import type { Order } from "./order.ts";
import { isExpired } from "./place.ts";
import { refuse } from "./state.ts";
import type { EngineState, Outcome } from "./state.ts";

type Amend = Extract<Command, { readonly op: "amend" }>;

/** Changes the size or the price of an open order. `newSz` is the new total, fills included. */
export const amendOrder = (state: EngineState, entry: Entry, command: Amend): Outcome => {
  const market = state.markets.get(command.instId);
  if (market === undefined) return refuse("51001", "Instrument ID does not exist");
  if (isExpired(entry, command.expTime))
    return refuse("50036", "The expTime can't be earlier than the current system time");
  const order = state.orders.find(command.uid, command.instId, command);
  if (order === undefined || !isOpen(order)) return refuse("51503", "Your order has already been filled or canceled");
  const turn: Turn = { state, market, entry, events: [] };
  const wanted = readWanted(command, order, turn);
  if ("code" in wanted) return wanted;
  if (wanted.sz > order.filled && !canAfford(turn, order, wanted)) return tooPoor(turn, order, command);
  change(turn, order, wanted, command.reqId);
  return { code: "0", msg: "", order: showOrder(order), events: turn.events };
};

type Wanted = { readonly px: Decimal; readonly sz: Decimal };

const readWanted = ({ newPx, newSz }: Amend, order: Order, { market: { instrument } }: Turn): Wanted | Outcome => {
  const px = newPx === undefined || newPx === "" ? order.px : readDecimal(newPx);
  if (px === undefined || px === 0n || px % instrument.tickSz !== 0n) return refuse("51000", "Parameter newPx error");
  const sz = newSz === undefined || newSz === "" ? order.sz : readDecimal(newSz);
  if (sz === undefined || sz === 0n) return refuse("51000", "Parameter newSz error");
  if (sz % instrument.lotSz !== 0n) return refuse("51121", "Order quantity must be a multiple of the lot size");
  return { px, sz };
};

const canAfford = ({ state, market: { instrument } }: Turn, order: Order, { px, sz }: Wanted): boolean => {
  const now = needOf(instrument, order.side, order.px, remainingOf(order));
  const then = needOf(instrument, order.side, px, sz - order.filled);
  return state.balances.available(order.uid, now.ccy) + now.amount >= then.amount;
};

const tooPoor = (turn: Turn, order: Order, { cxlOnFail }: Amend): Outcome => {
  if (cxlOnFail === true) {
    cancel(turn, order, "1");
    tell(turn, order, "cancel");
  }
  return refuse("51008", "Order failed. Insufficient account balance", turn.events);
};

const change = (turn: Turn, order: Order, wanted: Wanted, reqId: string | undefined): void => {
  // Only a smaller size at the same price keeps its turn; all else waits again behind the others.
  const keepsTurn = wanted.px === order.px && wanted.sz <= order.sz && wanted.sz > order.filled;
  setAside(turn, order, remainingOf(order), "free");
  if (keepsTurn) turn.market.book.touch();
  else turn.market.book.remove(order);
  order.px = wanted.px;
  order.sz = wanted.sz < order.filled ? order.filled : wanted.sz;
  order.uTime = turn.entry.at;
  turn.market.changedAt = turn.entry.at;
  setAside(turn, order, remainingOf(order), "freeze");
  if (remainingOf(order) === 0n) return finish(turn, order, reqId);
  tell(turn, order, "amend", reqId);
  if (!keepsTurn) enterAgain(turn, order);
};

const finish = (turn: Turn, order: Order, reqId: string | undefined): void => {
  order.state = "filled";
  turn.state.orders.close(order);
  tell(turn, order, "amend", reqId);
};

const enterAgain = (turn: Turn, order: Order): void => {
  if (order.ordType === "post_only" && wouldTake(turn, order)) {
    cancel(turn, order, "31");
    return tell(turn, order, "cancel");
  }
  trade(turn, order);
  rest(turn, order);
};
