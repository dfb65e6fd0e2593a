import type { GatewayContext, Route, Routes } from "../context.ts";
import { askEngine } from "../engine-link.ts";
import { ok, refused } from "../envelope.ts";
import { bookView, tickerView } from "../market-view.ts";
import type { Book } from "../market-view.ts";

const MAX_DEPTH = 400;

const ticker: Route = {
  kind: "public",
  answer: async ({ query }, context) => {
    const instId = query.get("instId") ?? "";
    const [asked, book] = await Promise.all([
      askEngine(context.engine, { op: "ticker", instId }),
      bookOf(context, instId, 1),
    ]);
    if (asked.kind !== "reply" || book === undefined) return refused("50001");
    return asked.reply.ticker === undefined || book === "unknown"
      ? refused("51001")
      : ok([tickerView(instId, asked.reply.ticker, book)]);
  },
};

const books: Route = {
  kind: "public",
  answer: async ({ query }, context) => {
    const depth = Math.min(Math.max(1, Number(query.get("sz") ?? 1) || 1), MAX_DEPTH);
    const book = await bookOf(context, query.get("instId") ?? "", depth);
    if (book === undefined) return refused("50001");
    return book === "unknown" ? refused("51001") : ok([bookView(book)]);
  },
};

/** Market data over REST. */
export const MARKET: Routes = { "GET /api/v5/market/ticker": ticker, "GET /api/v5/market/books": books };

const bookOf = async (
  context: GatewayContext,
  instId: string,
  depth: number,
): Promise<Book | "unknown" | undefined> => {
  const asked = await askEngine(context.engine, { op: "book", instId, depth });
  return asked.kind === "reply" ? (asked.reply.book ?? "unknown") : undefined;
};
