import type { Level } from "../../engine/protocol.ts";
import type { EngineLink } from "../engine-link.ts";
import { askEngine } from "../engine-link.ts";
import { bookView, levelView, tickerView } from "../market-view.ts";
import type { Book } from "../market-view.ts";
import type { Subscriber } from "./hub.ts";

/** Tickers and books by instrument. Reads the engine only while somebody listens, and not more often than it pushes. */
export type MarketFeed = {
  add(subscriber: Subscriber): () => void;
  /** Something happened in this instrument. */
  touch(instId: string): void;
  close(): void;
};

const PUSH_EVERY_MS = 100;
/** An unchanged book is confirmed this often, in ms. */
const KEEP_ALIVE_MS = 60_000;
const DEPTH = 400;

export const createMarketFeed = (engine: EngineLink): MarketFeed => {
  const feeds = new Map<string, InstrumentFeed>();
  return {
    add(subscriber) {
      const instId = subscriber.arg.instId ?? "";
      const feed = feeds.get(instId) ?? openFeed(engine, instId);
      feeds.set(instId, feed);
      feed.add(subscriber);
      return () => {
        if (!feed.remove(subscriber)) return;
        feed.close();
        if (feeds.get(instId) === feed) feeds.delete(instId);
      };
    },
    touch: (instId) => feeds.get(instId)?.touch(),
    close() {
      for (const feed of feeds.values()) feed.close();
      feeds.clear();
    },
  };
};

type InstrumentFeed = {
  add(subscriber: Subscriber): void;
  /** True when nobody is left. */
  remove(subscriber: Subscriber): boolean;
  touch(): void;
  close(): void;
};

const openFeed = (engine: EngineLink, instId: string): InstrumentFeed => {
  // The book that each subscriber saw last; `undefined` before its first push.
  const seen = new Map<Subscriber, Book | undefined>();
  let timer: NodeJS.Timeout | undefined;
  let isReading = false;
  let isConfirming = false;

  const push = (next: Book, ticker: object | undefined): void => {
    for (const [subscriber, last] of seen) {
      const message = messageFor(subscriber, last, next, ticker, isConfirming);
      if (message === undefined) continue;
      seen.set(subscriber, next);
      subscriber.push(message);
    }
    isConfirming = false;
  };
  const read = async (): Promise<void> => {
    timer = undefined;
    if (isReading) return soon(PUSH_EVERY_MS);
    isReading = true;
    const [book, ticker] = await Promise.all([
      askEngine(engine, { op: "book", instId, depth: DEPTH }),
      askEngine(engine, { op: "ticker", instId }),
    ]);
    isReading = false;
    const next = book.kind === "reply" ? book.reply.book : undefined;
    if (next === undefined) return seen.size > 0 ? soon(PUSH_EVERY_MS * 10) : undefined;
    push(
      next,
      ticker.kind === "reply" && ticker.reply.ticker ? tickerView(instId, ticker.reply.ticker, next) : undefined,
    );
  };
  const soon = (delayMs: number): void => {
    timer ??= setTimeout(() => void read(), delayMs);
  };
  const confirming = setInterval(() => {
    isConfirming = true;
    soon(0);
  }, KEEP_ALIVE_MS);

  return {
    add(subscriber) {
      seen.set(subscriber, undefined);
      soon(0);
    },
    remove(subscriber) {
      seen.delete(subscriber);
      return seen.size === 0;
    },
    touch: () => soon(PUSH_EVERY_MS),
    close() {
      clearTimeout(timer);
      clearInterval(confirming);
      seen.clear();
    },
  };
};

const messageFor = (
  { arg }: Subscriber,
  last: Book | undefined,
  next: Book,
  ticker: object | undefined,
  isConfirming: boolean,
): object | undefined => {
  const isUnchanged = last !== undefined && last.seqId === next.seqId;
  switch (arg.channel) {
    case "tickers":
      return ticker && { arg, data: [ticker] };
    case "books":
      if (last === undefined)
        return { arg, action: "snapshot", data: [{ ...bookView(next), prevSeqId: -1, checksum: 0 }] };
      return isUnchanged && !isConfirming ? undefined : { arg, action: "update", data: [bookChange(last, next)] };
    case "books5":
      return isUnchanged ? undefined : { arg, data: [topOf(next, 5, arg.instId)] };
    default:
      return isUnchanged ? undefined : { arg, data: [topOf(next, 1, arg.instId)] };
  }
};

const topOf = (book: Book, depth: number, instId: string | undefined): object => ({
  ...bookView({ ...book, asks: book.asks.slice(0, depth), bids: book.bids.slice(0, depth) }),
  instId,
});

/** What changed between two books. After a takeover the count may begin again below the last one: clients know that as a reset. */
export const bookChange = (last: Book, next: Book): object => ({
  asks: levelsChanged(last.asks, next.asks),
  bids: levelsChanged(last.bids, next.bids),
  ts: String(next.ts),
  prevSeqId: last.seqId,
  seqId: next.seqId,
  checksum: 0,
});

// A level that is gone is sent with size 0.
const levelsChanged = (last: readonly Level[], next: readonly Level[]): readonly (readonly string[])[] => {
  const before = new Map(last.map((level) => [level[0], level]));
  const still = new Set(next.map(([px]) => px));
  const changed = next.filter(([px, sz, count]) => before.get(px)?.[1] !== sz || before.get(px)?.[2] !== count);
  const gone = last.filter(([px]) => !still.has(px)).map(([px]): Level => [px, "0", 0]);
  return [...changed, ...gone].map(levelView);
};
