import { createBalances } from "./balances.ts";
import type { Balances } from "./balances.ts";
import { createBook } from "./book.ts";
import type { Book } from "./book.ts";
import type { Decimal } from "./decimal.ts";
import type { Instrument } from "./instrument.ts";
import { isOpen } from "./order.ts";
import type { Order } from "./order.ts";
import type { EngineEvent, EngineOrder } from "./protocol.ts";

/** One instrument's market. */
export type Market = {
  readonly instrument: Instrument;
  readonly book: Book;
  last: Decimal;
  lastSz: Decimal;
  volume: Decimal;
  /** When the book or the last price changed; 0 before the first change. */
  changedAt: number;
  trades: number;
};

/** A dead-man switch: at `dueAt` (ms) the user's orders with this tag go; tag "" means all of them. */
export type Timer = { readonly uid: string; readonly tag: string; readonly dueAt: number };

/** Everything the engine knows. Only `apply` changes it. */
export type EngineState = {
  readonly markets: ReadonlyMap<string, Market>;
  readonly balances: Balances;
  readonly orders: OrderIndex;
  readonly timers: Map<string, Timer>;
};

/** What an entry did. `code` is an OKX V5 sCode; whatever is not "0" changed nothing, unless `events` say otherwise. */
export type Outcome = {
  readonly code: string;
  readonly msg: string;
  readonly order?: EngineOrder;
  readonly triggerTime?: number;
  readonly events: readonly EngineEvent[];
};

/** Orders by their names. Done ones are forgotten when there are too many. */
export type OrderIndex = {
  add(order: Order): void;
  /** `ordId` wins over `clOrdId`, which names the latest order that carried it. */
  find(uid: string, instId: string, named: { readonly ordId?: string; readonly clOrdId?: string }): Order | undefined;
  /** The open orders of a user, oldest first. */
  openOf(uid: string): readonly Order[];
  /** Call it when an order is filled or cancelled. */
  close(order: Order): void;
};

/** How many filled and cancelled orders stay known. */
const MAX_DONE = 300_000;

export const createState = (instruments: readonly Instrument[], maxDone = MAX_DONE): EngineState => ({
  markets: new Map(instruments.map((instrument) => [instrument.instId, createMarket(instrument)])),
  balances: createBalances(instruments),
  orders: createOrderIndex(maxDone),
  timers: new Map(),
});

/** A refusal; it changed nothing unless it brings events. */
export const refuse = (code: string, msg: string, events: readonly EngineEvent[] = []): Outcome => ({
  code,
  msg,
  events,
});

const createMarket = (instrument: Instrument): Market => ({
  instrument,
  book: createBook(),
  last: instrument.last,
  lastSz: 0n,
  volume: 0n,
  changedAt: 0,
  trades: 0,
});

const createOrderIndex = (maxDone: number): OrderIndex => {
  const byId = new Map<string, Order>();
  const byClientId = new Map<string, Order>();
  const open = new Map<string, Map<string, Order>>();
  // A set keeps the order in which its members came: the first is the one that was done first.
  const done = new Set<Order>();
  const clientKey = (uid: string, clOrdId: string): string => `${uid}/${clOrdId}`;
  const forget = (order: Order): void => {
    done.delete(order);
    byId.delete(order.ordId);
    const key = clientKey(order.uid, order.clOrdId);
    if (byClientId.get(key) === order) byClientId.delete(key);
  };
  return {
    add(order) {
      byId.set(order.ordId, order);
      if (order.clOrdId !== "") byClientId.set(clientKey(order.uid, order.clOrdId), order);
      const mine = open.get(order.uid) ?? new Map<string, Order>();
      open.set(order.uid, mine.set(order.ordId, order));
    },
    find(uid, instId, { ordId, clOrdId }) {
      const found =
        ordId === undefined || ordId === "" ? byClientId.get(clientKey(uid, clOrdId ?? "")) : byId.get(ordId);
      return found?.uid === uid && found.instId === instId ? found : undefined;
    },
    openOf: (uid) => [...(open.get(uid)?.values() ?? [])].filter(isOpen),
    close(order) {
      open.get(order.uid)?.delete(order.ordId);
      done.add(order);
      const [oldest] = done;
      if (done.size > maxDone && oldest !== undefined) forget(oldest);
    },
  };
};
