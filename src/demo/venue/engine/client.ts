import { connect } from "node:net";
import type { Socket } from "node:net";
import { readLines, writeLine } from "./lines.ts";
import { NOT_ACTIVE, OUTCOME_UNKNOWN } from "./protocol.ts";
import type { ActiveNotice, EngineEvent, EngineReply, EngineRequest, EngineStatus } from "./protocol.ts";

type WithoutRid<T> = T extends unknown ? Omit<T, "rid"> : never;

/** A request without its number: the client numbers it. */
export type EngineAsk = WithoutRid<EngineRequest>;

/** Why there was no answer. `sent: false`: for certain not processed. `ambiguous`: nobody can say; never sent again from here. */
export type EngineError = Error & { readonly sent: boolean; readonly ambiguous: boolean };

/** The way to the active one of two matching engines. */
export type EngineClient = {
  /**
   * Resolves with the active engine's reply. While neither is active it waits, and what was not sent goes to whoever
   * becomes active within `timeoutMs`. Rejects with an `EngineError`.
   */
  request(ask: EngineAsk, how: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<EngineReply>;
  /** Calls `listener` with the events of all users, also across takeovers; some events may come twice then. Call the result to end it. */
  follow(listener: (event: EngineEvent) => void): () => void;
  /** Requests under way reject. */
  close(): void;
};

type Link = {
  readonly host: string;
  readonly port: number;
  socket: Socket | undefined;
  isActive: boolean;
  epoch: number;
  pauseMs: number;
  readonly pending: Map<number, Pending>;
};
type Pending = { readonly resolve: (reply: EngineReply) => void; readonly reject: (error: EngineError) => void };

const CHANGES: ReadonlySet<string> = new Set(["place", "amend", "cancel", "cancel-all-after"]);
const TOOK_OVER = "another matching engine took over before this one could confirm";
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;

/** `engines`: `host:port` of both. `name` is who asks. */
export const connectEngine = ({
  engines,
  name,
}: {
  readonly engines: readonly string[];
  readonly name: string;
}): EngineClient => {
  const links = engines.map(createLink);
  const listeners = new Set<(event: EngineEvent) => void>();
  const waiters = new Set<() => void>();
  let nextRid = 1;
  let followed: Link | undefined;
  let seenSeq: number | undefined;
  let isClosed = false;

  const best = (): Link | undefined =>
    links.filter(({ isActive }) => isActive).toSorted((left, right) => right.epoch - left.epoch)[0];
  const changed = (): void => {
    followBest();
    const woken = [...waiters];
    waiters.clear();
    for (const wake of woken) wake();
  };
  const followBest = (): void => {
    const link = best();
    if (listeners.size === 0 || link === undefined || link === followed) return;
    followed = link;
    // The last entry seen may have been cut in the middle: its events come again rather than never.
    const after = seenSeq === undefined ? {} : { after: seenSeq - 1 };
    if (link.socket !== undefined) writeLine(link.socket, { rid: takeRid(), op: "follow", ...after });
  };
  const takeRid = (): number => (nextRid += 1);

  const dial = (link: Link): void => {
    const socket = connect({ host: link.host, port: link.port });
    socket.on("error", () => {});
    socket.once("connect", () => {
      link.socket = socket;
      void ask(link, { op: "hello", gateway: name }).then((reply) => learn(link, reply), ignore);
    });
    socket.once("close", () => lose(link));
    readLines(socket, (message) => hear(link, message as EngineReply | EngineEvent | ActiveNotice));
  };
  const learn = (link: Link, { code, status }: EngineReply): void => {
    link.pauseMs = FIRST_PAUSE_MS;
    link.isActive = code === "0";
    link.epoch = status?.epoch ?? link.epoch;
    changed();
  };
  const giveUp = (link: Link, why: string): void => {
    Object.assign(link, { isActive: false });
    if (followed === link) followed = undefined;
    const unanswered = [...link.pending.values()];
    link.pending.clear();
    for (const { reject } of unanswered) reject(failure(why, true));
  };
  const lose = (link: Link): void => {
    link.socket = undefined;
    giveUp(link, "the connection to the matching engine closed before it answered");
    if (isClosed) return;
    changed();
    setTimeout(() => isClosed || dial(link), link.pauseMs).unref();
    link.pauseMs = Math.min(link.pauseMs * 2, LONGEST_PAUSE_MS);
  };
  const hear = (link: Link, message: EngineReply | EngineEvent | ActiveNotice): void => {
    if (!("event" in message)) {
      const pending = link.pending.get(message.rid);
      link.pending.delete(message.rid);
      return pending?.resolve(message);
    }
    if (message.event === "active") return promote(link, message.epoch);
    if (link !== followed) return;
    seenSeq = message.seq ?? seenSeq;
    for (const listener of listeners) listener(message);
  };
  // An engine whose epoch is over confirms nothing any more: whoever waits for it need not wait longer.
  const promote = (link: Link, epoch: number): void => {
    Object.assign(link, { isActive: true, epoch });
    for (const other of links) if (other.isActive && other.epoch < epoch) giveUp(other, TOOK_OVER);
    changed();
  };
  const ask = (link: Link, request: EngineAsk): Promise<EngineReply> =>
    new Promise((resolve, reject) => {
      if (link.socket === undefined) return reject(failure("not connected to a matching engine", false));
      const rid = takeRid();
      link.pending.set(rid, { resolve, reject });
      writeLine(link.socket, { rid, ...request });
    });
  const nextChange = (): Promise<void> => new Promise((resolve) => waiters.add(resolve));

  // Asking twice changes nothing, so a question whose connection died is asked again.
  const askOrAgain = async (link: Link, request: EngineAsk): Promise<EngineReply | "again"> => {
    const reply = ask(link, request);
    return CHANGES.has(request.op) ? reply : reply.catch(() => "again");
  };
  // Only a refusal that says "not processed" lets the request go to the other engine.
  const attempt = async (request: EngineAsk, until: Deadline): Promise<EngineReply> => {
    for (;;) {
      if (isClosed) throw closed();
      const link = best();
      if (link === undefined) {
        await until.or(nextChange(), "no matching engine is active", false);
        continue;
      }
      const reply = await until.or(askOrAgain(link, request), "the matching engine did not answer in time", true);
      if (reply === "again") continue;
      if (reply.code === OUTCOME_UNKNOWN) throw failure(TOOK_OVER, true);
      if (reply.code !== NOT_ACTIVE) return reply;
      link.isActive = false;
      if (followed === link) followed = undefined;
    }
  };

  for (const link of links) dial(link);
  return {
    async request(request, { timeoutMs, signal }) {
      const until = deadline(timeoutMs, signal);
      try {
        return await attempt(request, until);
      } finally {
        until.end();
      }
    },
    follow(listener) {
      listeners.add(listener);
      followBest();
      return () => void listeners.delete(listener);
    },
    close() {
      isClosed = true;
      for (const link of links) link.socket?.destroy();
      changed();
    },
  };
};

/** Asks one engine, active or not, how it stands. Rejects when it does not answer in time. */
export const askStatus = (address: string, timeoutMs: number): Promise<EngineStatus> =>
  new Promise((resolve, reject) => {
    const { host, port } = createLink(address);
    const socket = connect({ host, port });
    const end = (act: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const timer = setTimeout(
      () => end(() => reject(failure(`the matching engine at ${address} did not answer within ${timeoutMs} ms`, true))),
      timeoutMs,
    );
    socket.on("error", (cause) =>
      end(() => reject(Object.assign(failure(`cannot reach the matching engine at ${address}`, false), { cause }))),
    );
    readLines(socket, (message) => {
      const { status } = message as EngineReply;
      if (status !== undefined) end(() => resolve(status));
    });
    writeLine(socket, { rid: 1, op: "status" });
  });

const createLink = (address: string): Link => {
  const colon = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, colon), Number(address.slice(colon + 1))];
  return { host, port, socket: undefined, isActive: false, epoch: 0, pauseMs: FIRST_PAUSE_MS, pending: new Map() };
};

const failure = (message: string, sent: boolean): EngineError =>
  Object.assign(new Error(message), { sent, ambiguous: sent });

const closed = (): EngineError => failure("the connection to the matching engines is closed", false);

const ignore = (): void => {};

type Deadline = {
  /** Settles as `promise` does, or rejects with `why` when the time is over or the caller gave up. */
  or<T>(promise: Promise<T>, why: string, sent: boolean): Promise<T>;
  end(): void;
};

const deadline = (timeoutMs: number, signal: AbortSignal | undefined): Deadline => {
  let giveUp: (() => void) | undefined;
  let isOver = signal?.aborted === true;
  const end = (): void => {
    isOver = true;
    giveUp?.();
  };
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  return {
    or: (promise, why, sent) =>
      new Promise((resolve, reject) => {
        giveUp = () => reject(failure(why, sent));
        if (isOver) giveUp();
        promise.then(resolve, reject);
      }),
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    },
  };
};
