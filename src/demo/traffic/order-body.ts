import type { Intent } from "./intent.ts";
import { nameOf } from "./user.ts";
import type { LedgerOrder } from "./ledger.ts";

type OrderIntent = Exclude<Intent, { kind: "leverage" }>;

/** The request fields of an order operation, as REST takes them. */
export const restArgs = (intent: OrderIntent, order: LedgerOrder): Readonly<Record<string, string>> => {
  switch (intent.kind) {
    case "order":
      return { instId: order.instId, ...placeFields(intent, order) };
    case "amend":
      return { ...nameOf(order), ...change(intent) };
    case "cancel":
      return { ...nameOf(order) };
  }
};

/** The same over WebSocket, where the instrument goes by its integer code. */
export const socketArgs = (
  intent: OrderIntent,
  order: LedgerOrder,
  instIdCode: number,
): Readonly<Record<string, unknown>> => {
  const { instId: _, ...rest } = restArgs(intent, order);
  return { instIdCode, ...rest };
};

export const REST_PATHS = {
  order: "/api/v5/trade/order",
  amend: "/api/v5/trade/amend-order",
  cancel: "/api/v5/trade/cancel-order",
} as const;
export const SOCKET_OPS = { order: "order", amend: "amend-order", cancel: "cancel-order" } as const;

const placeFields = (
  intent: Extract<Intent, { kind: "order" }>,
  order: LedgerOrder,
): Readonly<Record<string, string>> => ({
  tdMode: "cash",
  side: intent.side,
  ordType: intent.ordType,
  px: intent.values.px,
  sz: intent.values.sz,
  clOrdId: order.clOrdId,
});

const change = ({ changed, values }: Extract<Intent, { kind: "amend" }>): Readonly<Record<string, string>> =>
  changed === "px" ? { newPx: values.px } : { newSz: values.sz };
