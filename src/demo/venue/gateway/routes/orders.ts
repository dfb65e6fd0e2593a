import type { EngineOrder } from "../../engine/protocol.ts";
import type { Route, Routes } from "../context.ts";
import { askEngine } from "../engine-link.ts";
import { ok, refused } from "../envelope.ts";
import { QUERY } from "../limits.ts";
import { orderView } from "../order-view.ts";

const MAX_PENDING = 100;

const order: Route = {
  kind: "signed",
  answer: async ({ query, account }, context) => {
    const [instId, ordId, clOrdId] = [query.get("instId") ?? "", query.get("ordId") ?? "", query.get("clOrdId") ?? ""];
    if (instId === "") return refused("50014", "instId");
    if (ordId === "" && clOrdId === "") return refused("50015", "ordId", "clOrdId");
    if (!context.limits.take(`${account.uid} query ${instId}`, QUERY, 1)) return refused("50011");
    const named = ordId === "" ? { clOrdId } : { ordId };
    const asked = await askEngine(context.engine, { op: "order", uid: account.uid, instId, ...named });
    // A query changes nothing, so an unknown outcome is as good as none.
    if (asked.kind !== "reply") return refused("50001");
    const { code, order: found } = asked.reply;
    return code === "0" && found !== undefined ? ok([orderView(found)]) : refused("51603");
  },
};

const pending: Route = {
  kind: "signed",
  answer: async ({ query, account }, context) => {
    if (!context.limits.take(`${account.uid} pending`, QUERY, 1)) return refused("50011");
    const instId = query.get("instId") ?? "";
    const ask = { op: "pending", uid: account.uid, limit: MAX_LISTED, ...(instId !== "" && { instId }) } as const;
    const asked = await askEngine(context.engine, ask);
    if (asked.kind !== "reply") return refused("50001");
    return ok(page(asked.reply.orders ?? [], query).map(orderView));
  },
};

export const ORDER_QUERIES: Routes = { "GET /api/v5/trade/order": order, "GET /api/v5/trade/orders-pending": pending };

/** What the engine is asked for; the page is cut from it here. */
const MAX_LISTED = 1_000;

// `after` asks for older orders, `before` for newer ones; the newest come first.
const page = (orders: readonly EngineOrder[], query: URLSearchParams): readonly EngineOrder[] => {
  const wanted = (name: string, value: string): boolean => [null, "", value].includes(query.get(name));
  const [after, before] = [idOf(query.get("after")), idOf(query.get("before"))];
  const limit = Math.min(Number(query.get("limit") ?? MAX_PENDING) || MAX_PENDING, MAX_PENDING);
  return orders
    .filter((each) => wanted("instType", "SPOT") && wanted("ordType", each.ordType) && wanted("state", each.state))
    .filter(
      (each) =>
        (after === undefined || BigInt(each.ordId) < after) && (before === undefined || BigInt(each.ordId) > before),
    )
    .toSorted((left, right) => (BigInt(left.ordId) < BigInt(right.ordId) ? 1 : -1))
    .slice(0, limit);
};

const idOf = (text: string | null): bigint | undefined =>
  text !== null && /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
