import { apply } from "../../../../src/demo/venue/engine/apply.ts";
import { answer } from "../../../../src/demo/venue/engine/answer.ts";
import type { Command, Entry } from "../../../../src/demo/venue/engine/entry.ts";
import { readInstruments, VENUE_INSTRUMENTS } from "../../../../src/demo/venue/engine/instrument.ts";
import type { EngineOrder, EngineReply } from "../../../../src/demo/venue/engine/protocol.ts";
import { createState } from "../../../../src/demo/venue/engine/state.ts";
import type { EngineState, Outcome } from "../../../../src/demo/venue/engine/state.ts";

type Place = Extract<Command, { readonly op: "place" }>;
type Amend = Extract<Command, { readonly op: "amend" }>;

export const INSTRUMENTS = readInstruments(JSON.stringify(VENUE_INSTRUMENTS));

/** A venue on one desk: numbers the commands, keeps what was entered, and asks for what came of it. */
export type Desk = {
  readonly state: EngineState;
  readonly entries: readonly Entry[];
  now: number;
  enter(command: Command): Outcome;
  place(uid: string, side: "buy" | "sell", px: string, sz: string, more?: Partial<Place>): Outcome;
  amend(uid: string, ordId: string, change: Partial<Amend>): Outcome;
  cancel(uid: string, ordId: string): Outcome;
  order(uid: string, ordId: string): EngineOrder;
  book(): NonNullable<EngineReply["book"]>;
  balance(uid: string, ccy: string): { readonly available: string; readonly frozen: string };
};

export const openDesk = (): Desk => {
  const state = createState(INSTRUMENTS);
  const entries: Entry[] = [];
  const instId = "BTC-USDT";
  const desk: Desk = {
    state,
    entries,
    now: 1_000,
    enter(command) {
      const entry: Entry = { seq: entries.length + 1, epoch: 1, at: desk.now, command };
      entries.push(entry);
      return apply(state, entry);
    },
    place: (uid, side, px, sz, more) =>
      desk.enter({
        op: "place",
        uid,
        instId,
        side,
        ordType: "limit",
        tdMode: "cash",
        px,
        sz,
        clOrdId: "",
        tag: "",
        ...more,
      }),
    amend: (uid, ordId, change) => desk.enter({ op: "amend", uid, instId, ordId, ...change }),
    cancel: (uid, ordId) => desk.enter({ op: "cancel", uid, instId, ordId }),
    order(uid, ordId) {
      const { order } = answer(state, { rid: 0, op: "order", uid, instId, ordId }, 0);
      if (order === undefined) throw new Error(`no order ${ordId}`);
      return order;
    },
    book: () =>
      answer(state, { rid: 0, op: "book", instId, depth: 10 }, 0).book ?? { bids: [], asks: [], seqId: 0, ts: 0 },
    balance(uid, ccy) {
      const found = answer(state, { rid: 0, op: "balance", uid }, 0).balances?.find((one) => one.ccy === ccy);
      if (found === undefined) throw new Error(`no ${ccy}`);
      return { available: found.available, frozen: found.frozen };
    },
  };
  return desk;
};

/** The id of the order that an outcome tells of. */
export const idOf = (outcome: Outcome): string => {
  if (outcome.order === undefined) throw new Error(`refused with ${outcome.code}`);
  return outcome.order.ordId;
};
