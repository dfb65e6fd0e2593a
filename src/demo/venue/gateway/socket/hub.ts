import type { EngineEvent, EngineOrder } from "../../engine/protocol.ts";
import { balanceView } from "../balance-view.ts";
import type { EngineLink } from "../engine-link.ts";
import { askEngine } from "../engine-link.ts";
import { orderView } from "../order-view.ts";
import type { Arg } from "./channels.ts";
import { createMarketFeed } from "./market-feed.ts";

/** One subscription of one socket. */
export type Subscriber = {
  readonly arg: Arg;
  /** "" on public channels. */
  readonly uid: string;
  push(message: object): void;
};

/** Carries what happens in the engine to those who subscribed. */
export type Hub = {
  /** Adds a subscription; call the result to end it. */
  add(subscriber: Subscriber): () => void;
  onEvent(event: EngineEvent): void;
  close(): void;
};

type OrderUpdate = Extract<EngineEvent, { readonly event: "order-update" }>;
type Trade = Extract<EngineEvent, { readonly event: "trade" }>;

/** Balances are pushed at most this often per user, in ms: a busy user changes them many times a second. */
const BALANCE_PUSH_MS = 100;

export const createHub = (engine: EngineLink): Hub => {
  const orders = createIndex();
  const accounts = createIndex();
  const trades = createIndex();
  const market = createMarketFeed(engine);
  const due = new Map<string, NodeJS.Timeout>();

  const pushBalance = async (uid: string): Promise<void> => {
    due.delete(uid);
    const asked = await askEngine(engine, { op: "balance", uid });
    if (asked.kind !== "reply") return;
    for (const each of accounts.of(uid)) {
      const balances = (asked.reply.balances ?? []).filter(
        ({ ccy }) => each.arg.ccy === undefined || each.arg.ccy === ccy,
      );
      each.push({
        arg: { ...each.arg, uid },
        eventType: "event_update",
        curPage: 1,
        lastPage: true,
        data: [balanceView(balances, String(Date.now()))],
      });
    }
  };
  const balanceSoon = (uid: string): void => {
    if (accounts.of(uid).size > 0 && !due.has(uid))
      due.set(
        uid,
        setTimeout(() => void pushBalance(uid), BALANCE_PUSH_MS),
      );
  };

  return {
    add(subscriber) {
      const { uid, arg } = subscriber;
      switch (arg.channel) {
        case "orders":
          return orders.add(uid, subscriber);
        case "account":
          void Promise.resolve().then(() => balanceSoon(uid));
          return accounts.add(uid, subscriber);
        case "trades":
          return trades.add(arg.instId ?? "", subscriber);
        case "tickers":
        case "books":
        case "books5":
        case "bbo-tbt":
          return market.add(subscriber);
        default:
          return () => {};
      }
    },
    onEvent(event) {
      if (event.event === "trade") {
        for (const each of trades.of(event.instId)) each.push({ arg: each.arg, data: [tradeView(event)] });
        market.touch(event.instId);
        return;
      }
      const { uid, instId } = event.order;
      const message = orderPush(event);
      for (const each of orders.of(uid))
        if (wants(each.arg, event.order)) each.push({ arg: { ...each.arg, uid }, data: [message] });
      balanceSoon(uid);
      market.touch(instId);
    },
    close() {
      for (const timer of due.values()) clearTimeout(timer);
      market.close();
    },
  };
};

const wants = (arg: Arg, order: EngineOrder): boolean =>
  (arg.instId === undefined || arg.instId === order.instId) && [undefined, "ANY", "SPOT"].includes(arg.instType);

const orderPush = ({ order, reason, reqId }: OrderUpdate): object => ({
  ...orderView(order),
  // The last fill belongs to pushes about a fill only, or readers would count it again.
  ...(reason !== "fill" && { fillSz: "0", fillPx: "", tradeId: "", fillTime: "" }),
  amendResult: reason === "amend" ? "0" : "",
  amendSource: reason === "amend" ? "1" : "",
  reqId: reqId ?? "",
  execType: "",
  fillFee: "0",
  fillFeeCcy: "",
  fillPnl: "0",
  fillNotionalUsd: "",
  notionalUsd: "",
  lastPx: "",
  code: "0",
  msg: "",
});

const tradeView = ({ instId, tradeId, px, sz, side, ts }: Trade): object => ({
  instId,
  tradeId,
  px,
  sz,
  side,
  count: "1",
  source: "0",
  ts: String(ts),
});

type Index = { add(key: string, subscriber: Subscriber): () => void; of(key: string): ReadonlySet<Subscriber> };

const NOBODY: ReadonlySet<Subscriber> = new Set();

const createIndex = (): Index => {
  const byKey = new Map<string, Set<Subscriber>>();
  return {
    add(key, subscriber) {
      const members = byKey.get(key) ?? new Set();
      byKey.set(key, members.add(subscriber));
      return () => {
        members.delete(subscriber);
        if (members.size === 0 && byKey.get(key) === members) byKey.delete(key);
      };
    },
    of: (key) => byKey.get(key) ?? NOBODY,
  };
};
