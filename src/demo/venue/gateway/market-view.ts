import type { EngineReply, Level } from "../engine/protocol.ts";

type Ticker = NonNullable<EngineReply["ticker"]>;
export type Book = NonNullable<EngineReply["book"]>;

/** A ticker of the OKX V5 API. The engine keeps no day's history, so the day starts with the last price. */
export const tickerView = (instId: string, ticker: Ticker, book: Book): Readonly<Record<string, string>> => ({
  instType: "SPOT",
  instId,
  last: ticker.last,
  lastSz: ticker.lastSz,
  askPx: book.asks[0]?.[0] ?? "",
  askSz: book.asks[0]?.[1] ?? "",
  bidPx: book.bids[0]?.[0] ?? "",
  bidSz: book.bids[0]?.[1] ?? "",
  open24h: ticker.last,
  high24h: ticker.last,
  low24h: ticker.last,
  volCcy24h: "",
  vol24h: ticker.vol24h,
  sodUtc0: ticker.last,
  sodUtc8: ticker.last,
  ts: String(ticker.ts),
});

/** `[price, size, "0", order count]`, as books carry it. */
export const levelView = ([px, sz, count]: Level): readonly string[] => [px, sz, "0", String(count)];

export const bookView = (book: Book): Readonly<Record<string, unknown>> => ({
  asks: book.asks.map(levelView),
  bids: book.bids.map(levelView),
  ts: String(book.ts),
  seqId: book.seqId,
});
