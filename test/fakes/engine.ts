import type { EngineAsk, EngineLink } from "../../src/demo/venue/gateway/engine-link.ts";
import type { EngineEvent, EngineOrder, EngineReply, Level } from "../../src/demo/venue/engine/protocol.ts";

/** A matching engine in memory that matches nothing: it keeps orders, and can be made slow or silent. */
export type FakeEngine = EngineLink & {
  /** `silent`: takes requests and never answers. `gone`: cannot be reached. `passive`: answers that it is not active. */
  behave(how: "well" | "silent" | "gone" | "passive"): void;
  /** Requests wait until the result is called. */
  hold(): () => void;
  emit(event: EngineEvent): void;
  readonly asked: readonly EngineAsk[];
  readonly orders: ReadonlyMap<string, EngineOrder>;
};

export const fakeEngine = (last = "60000"): FakeEngine => {
  const orders = new Map<string, EngineOrder>();
  const asked: EngineAsk[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  let how: "well" | "silent" | "gone" | "passive" = "well";
  let gate: Promise<void> = Promise.resolve();
  let seqId = 1;
  let nextId = 370_257_534_141_235_201n;

  const emit = (event: EngineEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const keep = (order: EngineOrder, reason: "place" | "amend" | "cancel", reqId?: string): Partial<EngineReply> => {
    orders.set(order.ordId, order);
    seqId += 1;
    setImmediate(() => emit({ event: "order-update", order, reason, ...(reqId !== undefined && { reqId }) }));
    return { order };
  };
  const find = (ask: {
    readonly uid: string;
    readonly ordId?: string;
    readonly clOrdId?: string;
  }): EngineOrder | undefined =>
    [...orders.values()].findLast(
      (each) =>
        each.uid === ask.uid && (ask.ordId === undefined ? each.clOrdId === ask.clOrdId : each.ordId === ask.ordId),
    );
  const levels = (instId: string, side: "buy" | "sell"): readonly Level[] =>
    [...orders.values()]
      .filter((each) => isOpen(each) && each.instId === instId && each.side === side)
      .map((each): Level => [each.px, each.sz, 1])
      .toSorted((a, b) => (side === "buy" ? Number(b[0]) - Number(a[0]) : Number(a[0]) - Number(b[0])));

  const answer = (ask: EngineAsk): { readonly code?: string } & Partial<EngineReply> => {
    switch (ask.op) {
      case "place": {
        if (ask.clOrdId !== "" && isOpen(find({ uid: ask.uid, clOrdId: ask.clOrdId }))) return { code: "51016" };
        const { op: _op, expTime: _expTime, ...wanted } = ask;
        const none = { accFillSz: "0", avgPx: "", fillPx: "", fillSz: "0", fillTime: 0, tradeId: "", cancelSource: "" };
        nextId += 1n;
        return keep(
          { ...wanted, ...none, ordId: String(nextId), state: "live", cTime: Date.now(), uTime: Date.now() },
          "place",
        );
      }
      case "amend": {
        const order = find(ask);
        if (!isOpen(order)) return { code: "51503" };
        return keep(
          { ...order, px: ask.newPx ?? order.px, sz: ask.newSz ?? order.sz, uTime: Date.now() },
          "amend",
          ask.reqId,
        );
      }
      case "cancel": {
        const order = find(ask);
        return isOpen(order)
          ? keep({ ...order, state: "canceled", cancelSource: "1", uTime: Date.now() }, "cancel")
          : { code: "51400" };
      }
      case "cancel-all-after":
        return { triggerTime: ask.timeOutSec === 0 ? 0 : Date.now() + ask.timeOutSec * 1_000 };
      case "order": {
        const order = find(ask);
        return order === undefined ? { code: "51603" } : { order };
      }
      case "pending":
        return {
          orders: [...orders.values()].filter((each) => each.uid === ask.uid && isOpen(each)).slice(0, ask.limit),
        };
      case "book":
        return { book: { bids: levels(ask.instId, "buy"), asks: levels(ask.instId, "sell"), seqId, ts: Date.now() } };
      case "ticker":
        return { ticker: { last, lastSz: "0.1", vol24h: "1", ts: Date.now() } };
      case "balance":
        return { balances: [{ ccy: "USDT", available: "1000000", frozen: "0" }] };
      case "hello":
      case "status":
      case "follow":
        return {};
    }
  };

  return {
    asked,
    orders,
    emit,
    behave(next) {
      how = next;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    async request(ask, { timeoutMs }) {
      if (how === "gone") throw Object.assign(new Error("not connected"), { sent: false });
      asked.push(ask);
      await gate;
      if (how === "silent")
        await new Promise((_, reject) =>
          setTimeout(() => reject(Object.assign(new Error("no reply"), { sent: true })), timeoutMs),
        );
      if (how === "passive") return { rid: 0, code: "50001", msg: "" };
      return { rid: 0, code: "0", msg: "", ...answer(ask) };
    },
    follow: (listener) => listeners.add(listener),
    close: () => listeners.clear(),
  };
};

const isOpen = (order: EngineOrder | undefined): order is EngineOrder => order?.state === "live";
