import { over, showDecimal } from "./decimal.ts";
import type { Decimal } from "./decimal.ts";
import type { EngineOrder, OrderState, OrderType, Side } from "./protocol.ts";

/** An order in the engine's memory. The fold of the log is the only one that changes it. */
export type Order = {
  readonly ordId: string;
  readonly clOrdId: string;
  readonly uid: string;
  readonly instId: string;
  readonly side: Side;
  readonly ordType: OrderType;
  readonly tdMode: string;
  readonly tag: string;
  readonly cTime: number;
  /** 0 for market orders. */
  px: Decimal;
  sz: Decimal;
  filled: Decimal;
  /** What the fills were worth together, in the quote currency. */
  worth: Decimal;
  lastFill: { readonly px: Decimal; readonly sz: Decimal; readonly at: number; readonly tradeId: string } | undefined;
  state: OrderState;
  cancelSource: string;
  uTime: number;
};

export const remainingOf = (order: Order): Decimal => order.sz - order.filled;

export const isOpen = (order: Order): boolean => order.state === "live" || order.state === "partially_filled";

/** The order as gateways see it, at this moment. */
export const showOrder = (order: Order): EngineOrder => ({
  ordId: order.ordId,
  clOrdId: order.clOrdId,
  uid: order.uid,
  instId: order.instId,
  side: order.side,
  ordType: order.ordType,
  tdMode: order.tdMode,
  tag: order.tag,
  px: order.px === 0n ? "" : showDecimal(order.px),
  sz: showDecimal(order.sz),
  accFillSz: showDecimal(order.filled),
  avgPx: order.filled === 0n ? "" : showDecimal(over(order.worth, order.filled)),
  fillPx: order.lastFill === undefined ? "" : showDecimal(order.lastFill.px),
  fillSz: order.lastFill === undefined ? "0" : showDecimal(order.lastFill.sz),
  fillTime: order.lastFill?.at ?? 0,
  tradeId: order.lastFill?.tradeId ?? "",
  state: order.state,
  cancelSource: order.cancelSource,
  cTime: order.cTime,
  uTime: order.uTime,
});
