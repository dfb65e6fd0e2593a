import type { OrderType, Side } from "../engine/protocol.ts";
import { msgOf } from "./codes.ts";
import { askEngine } from "./engine-link.ts";
import type { EngineAsk, EngineLink } from "./engine-link.ts";

/** Order operations as users send them. */
export type OperationKind = "order" | "amend" | "cancel";

/** A checked order, ready for the engine. */
export type PlaceOrder = {
  readonly uid: string;
  readonly instId: string;
  readonly side: Side;
  readonly ordType: OrderType;
  readonly tdMode: string;
  readonly px: string;
  readonly sz: string;
  readonly clOrdId: string;
  readonly tag: string;
  readonly expTime?: number;
};

/** Names an order: `ordId` wins over `clOrdId`. */
export type OrderRef = {
  readonly uid: string;
  readonly instId: string;
  readonly ordId?: string;
  readonly clOrdId?: string;
};

export type AmendOrder = OrderRef & {
  readonly newSz?: string;
  readonly newPx?: string;
  readonly reqId?: string;
  readonly cxlOnFail?: boolean;
  readonly expTime?: number;
};

/** What became of an operation. `code` is an OKX V5 sCode, "0" on success. */
export type Outcome = { readonly code: string; readonly msg: string; readonly ordId: string; readonly clOrdId: string };

/** The three operations against the engine. None rejects. */
export type Operations = {
  place(order: PlaceOrder): Promise<Outcome>;
  amend(change: AmendOrder): Promise<Outcome>;
  cancel(order: OrderRef): Promise<Outcome>;
};

export const engineOperations = (engine: EngineLink): Operations => ({
  place: (order) => perform(engine, { op: "place", ...order }),
  amend: (change) => perform(engine, { op: "amend", ...change }),
  cancel: (order) => perform(engine, { op: "cancel", ...order }),
});

/** An outcome that the gateway itself decided, without the engine. */
export const outcomeOf = (
  code: string,
  named: { readonly ordId?: string; readonly clOrdId?: string },
  msg = msgOf(code),
): Outcome => ({
  code,
  msg,
  ordId: named.ordId ?? "",
  clOrdId: named.clOrdId ?? "",
});

const perform = async (
  engine: EngineLink,
  ask: EngineAsk & { readonly ordId?: string; readonly clOrdId?: string },
): Promise<Outcome> => {
  const asked = await askEngine(engine, ask);
  switch (asked.kind) {
    case "not-sent":
      return outcomeOf("50001", ask);
    case "unknown":
      return outcomeOf("51149", ask);
    case "reply": {
      const { code, msg, order } = asked.reply;
      const named = { ordId: order?.ordId ?? ask.ordId ?? "", clOrdId: order?.clOrdId ?? ask.clOrdId ?? "" };
      return outcomeOf(code, named, msg === "" ? msgOf(code) : msg);
    }
  }
};
