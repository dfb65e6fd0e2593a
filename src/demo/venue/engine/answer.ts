import { showDecimal } from "./decimal.ts";
import { showOrder } from "./order.ts";
import type { EngineReply, EngineRequest } from "./protocol.ts";
import type { EngineState } from "./state.ts";

type Question = Extract<EngineRequest, { readonly op: "order" | "pending" | "book" | "ticker" | "balance" }>;
type Answer = Omit<EngineReply, "rid">;

/** Answers what only asks. `now` is the time in ms that an untouched market gives as its own. */
export const answer = (state: EngineState, question: Question, now: number): Answer => {
  switch (question.op) {
    case "order": {
      const order = state.orders.find(question.uid, question.instId, question);
      return order === undefined ? { code: "51603", msg: "Order does not exist" } : { ...OK, order: showOrder(order) };
    }
    case "pending": {
      const open = state.orders
        .openOf(question.uid)
        .filter(({ instId }) => question.instId === undefined || instId === question.instId);
      return { ...OK, orders: open.toReversed().slice(0, question.limit).map(showOrder) };
    }
    case "book":
      return onMarket(state, question.instId, ({ book, changedAt }) => ({
        book: {
          bids: book.levels("buy", question.depth),
          asks: book.levels("sell", question.depth),
          seqId: book.seqId,
          ts: changedAt || now,
        },
      }));
    case "ticker":
      return onMarket(state, question.instId, ({ last, lastSz, volume, changedAt }) => ({
        ticker: {
          last: showDecimal(last),
          lastSz: showDecimal(lastSz),
          vol24h: showDecimal(volume),
          ts: changedAt || now,
        },
      }));
    case "balance":
      return { ...OK, balances: state.balances.show(question.uid) };
  }
};

const OK = { code: "0", msg: "" } as const;

type Market = NonNullable<ReturnType<EngineState["markets"]["get"]>>;

const onMarket = (state: EngineState, instId: string, show: (market: Market) => Partial<Answer>): Answer => {
  const market = state.markets.get(instId);
  return market === undefined ? { code: "51001", msg: "Instrument ID does not exist" } : { ...OK, ...show(market) };
};
