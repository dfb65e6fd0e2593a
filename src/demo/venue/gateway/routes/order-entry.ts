import type { Routes, SignedCall, GatewayContext, Route } from "../context.ts";
import { micros, refused, restRows } from "../envelope.ts";
import type { Answer } from "../envelope.ts";
import { isFields } from "../../fields.ts";
import type { Fields } from "../../fields.ts";
import { enterOrders } from "../order-entry.ts";
import type { OperationKind } from "../operations.ts";

/** The most orders that one batch may carry. */
export const MAX_BATCH = 20;

const single = (kind: OperationKind): Route => ({
  kind: "signed",
  answer: (call, context) => (isFields(call.body) ? enter(kind, [call.body], call, context) : refused("50000")),
});

const batch = (kind: OperationKind): Route => ({
  kind: "signed",
  answer: (call, context) => {
    const rows: unknown = call.body;
    if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isFields)) return refused("50000");
    return rows.length > MAX_BATCH ? refused("51000", "batch size") : enter(kind, rows, call, context);
  },
});

/** Placing, amending and cancelling, one by one and in batches. */
export const ORDER_ENTRY: Routes = {
  "POST /api/v5/trade/order": single("order"),
  "POST /api/v5/trade/amend-order": single("amend"),
  "POST /api/v5/trade/cancel-order": single("cancel"),
  "POST /api/v5/trade/batch-orders": batch("order"),
  "POST /api/v5/trade/amend-batch-orders": batch("amend"),
  "POST /api/v5/trade/cancel-batch-orders": batch("cancel"),
};

/** Which operation a request would have been, for those that are refused before they are read. */
export const operationAt = (method: string, path: string): OperationKind | undefined => {
  if (method !== "POST" || ORDER_ENTRY[`${method} ${path}`] === undefined) return undefined;
  if (path.includes("amend")) return "amend";
  return path.includes("cancel") ? "cancel" : "order";
};

const enter = async (
  kind: OperationKind,
  rows: readonly Fields[],
  call: SignedCall,
  context: GatewayContext,
): Promise<Answer> => {
  const inTime = micros();
  const expTime = Number(call.header("exptime") ?? Number.NaN);
  const entry = {
    kind,
    account: call.account,
    rows,
    protocol: "rest",
    since: call.since,
    ...(expTime > 0 && { expTime }),
  } as const;
  return restRows(await enterOrders(entry, context), inTime, micros());
};
