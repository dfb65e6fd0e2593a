import type { Account } from "../../accounts.ts";
import type { GatewayContext } from "../context.ts";
import { micros, socketRows } from "../envelope.ts";
import { isFields, textOf } from "../../fields.ts";
import type { Fields } from "../../fields.ts";
import { enterOrders } from "../order-entry.ts";
import type { OperationKind } from "../operations.ts";
import { MAX_BATCH } from "../routes/order-entry.ts";

const OPERATIONS: Readonly<Record<string, OperationKind>> = {
  order: "order",
  "batch-orders": "order",
  "amend-order": "amend",
  "batch-amend-orders": "amend",
  "cancel-order": "cancel",
  "batch-cancel-orders": "cancel",
};

/** Which operation a WebSocket `op` is; `undefined` for any other request. */
export const socketOperation = (op: string): OperationKind | undefined => OPERATIONS[op];

/** Performs the order operations of one request and yields its reply. `isAdmitted`: false once the gateway refuses before accepting. */
export const enterSocketOrders = async (
  request: Fields,
  account: Account | undefined,
  isAdmitted: boolean,
  context: GatewayContext,
): Promise<object> => {
  const since = performance.now();
  const inTime = micros();
  const op = textOf(request, "op");
  const kind = OPERATIONS[op] ?? "order";
  const reply = (envelope: object): object => ({ id: textOf(request, "id"), op, ...envelope });
  const turnAway = (code: string): object => {
    context.metrics.count(kind, code, account?.cohort ?? "unknown", "ws", (performance.now() - since) / 1_000);
    return reply({ code, msg: "", data: [], inTime, outTime: micros() });
  };
  if (!isAdmitted) return turnAway("50001");
  if (account === undefined) return turnAway("60011");
  const rows: unknown = request["args"];
  if (!Array.isArray(rows) || rows.length === 0 || rows.length > MAX_BATCH || !rows.every(isFields))
    return turnAway("60013");
  const expTime = Number(textOf(request, "expTime") || Number.NaN);
  const entry = { kind, account, rows, protocol: "ws", since, ...(expTime > 0 && { expTime }) } as const;
  return reply(socketRows(await enterOrders(entry, context), inTime, micros()));
};
