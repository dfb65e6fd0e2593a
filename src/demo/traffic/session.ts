import { NOISE_CODE } from "../venue/gateway/noise.ts";
import { isFields } from "../okx-client/fields.ts";
import { openPrivateSocket } from "../okx-client/socket.ts";
import type { PrivateSocket, SocketMessage } from "../okx-client/socket.ts";
import type { Credentials } from "../okx-client/sign.ts";
import type { Region } from "./config.ts";
import type { Origin, Reply } from "./outcome.ts";
import type { Random } from "./random.ts";
import type { Route } from "./route.ts";
import type { Plant } from "./schedule.ts";

/** A user's WebSocket trading: always one socket to send on, as far as the venue allows. */
export type Session = {
  /** Resolves when the first socket is ready, or after `patienceMs` without one. */
  start(patienceMs: number): Promise<void>;
  /** Sends one operation; never rejects. `region` tells where it went. */
  ask(
    op: string,
    args: Readonly<Record<string, unknown>>,
    deadlineMs: number,
    plant: Plant | undefined,
  ): Promise<{ readonly reply: Reply; readonly region: Region }>;
  stop(): void;
};

export type SessionOptions = {
  readonly who: Credentials;
  readonly originOf: (region: Region) => string;
  readonly simulatedTrading: boolean;
  readonly route: Route;
  readonly random: Random;
  /** Pushes of the orders channel, as they come: duplicates included. */
  readonly onOrders: (rows: readonly unknown[]) => void;
};

type Link = {
  readonly region: Region;
  readonly pending: Map<string, (reply: Reply) => void>;
  socket: PrivateSocket;
  origin: Origin;
  state: "dialling" | "ready" | "retired";
  isNoticed: boolean;
  /** Its user cut it himself. */
  isCutByUser: boolean;
};

/**
 * At most two links at a time: the one in use and the one that is to replace it. A link is left only when the next one is logged in;
 * what it still owes is awaited. A lost link fails what was in flight on it and is replaced at once.
 */
export const createSession = (options: SessionOptions): Session => {
  const { route, random } = options;
  let current: Link | undefined;
  let next: Link | undefined;
  let dials = 0;
  let lastId = 0;
  let isStopped = false;
  let redialTimer: NodeJS.Timeout | undefined;
  const waiting = new Set<() => void>();

  const dial = (): void => {
    if (isStopped || next !== undefined) return;
    const link: Link = {
      region: route.region(Date.now()),
      pending: new Map(),
      socket: UNCONNECTED,
      origin: UNKNOWN_ORIGIN,
      state: "dialling",
      isNoticed: false,
      isCutByUser: false,
    };
    next = link;
    link.socket = openPrivateSocket(options.originOf(link.region), options.who, options.simulatedTrading, {
      ready: (login) => becomeCurrent(link, login),
      message: (message) => hear(link, message),
      notice: () => {
        link.isNoticed = true;
        if (link === current) redialIn(random() * NOTICE_JITTER_MS);
      },
      closed: () => lose(link),
    });
  };
  const redialIn = (ms: number): void => {
    clearTimeout(redialTimer);
    redialTimer = setTimeout(dial, ms);
  };
  const becomeCurrent = (link: Link, login: SocketMessage): void => {
    if (link !== next) return; // a repeated subscription
    next = undefined;
    dials = 0;
    link.state = "ready";
    link.origin = { release: textOr(login["release"]), instance: textOr(login["instance"]) };
    const old = current;
    current = link;
    route.worked(link.region);
    if (old !== undefined) retire(old);
    for (const wake of waiting) wake();
    waiting.clear();
    if (link.isNoticed) redialIn(AGAIN_MS);
    if (isStopped) link.socket.close();
  };
  const retire = (link: Link): void => {
    link.state = "retired";
    if (link.pending.size === 0) link.socket.close();
    else setTimeout(() => link.socket.close(), LEAVE_AFTER_MS).unref();
  };
  const lose = (link: Link): void => {
    const owed = [...link.pending.values()];
    link.pending.clear();
    for (const settle of owed) settle({ kind: "cut", byUser: link.isCutByUser, origin: link.origin });
    if (link.state === "retired" || isStopped) return;
    if (!link.isCutByUser) route.failed(link.region, Date.now());
    if (link === next) next = undefined;
    if (link === current) current = undefined;
    redialIn(dials === 0 ? random() * LOST_JITTER_MS : Math.min(2_000, 50 * 2 ** dials) * (0.5 + random()));
    dials++;
  };
  const hear = (link: Link, message: SocketMessage): void => {
    const { id, data } = message;
    if (typeof id === "string") {
      const settle = link.pending.get(id);
      link.pending.delete(id);
      settle?.(replyOf(message, link.origin));
      if (link.state === "retired" && link.pending.size === 0) link.socket.close();
    } else if (Array.isArray(data)) options.onOrders(data);
  };
  // Back to the region of the route when that changes: home serves again, or the region in use answers nothing.
  const follow = setInterval(
    () => {
      if (current !== undefined && next === undefined && route.region(Date.now()) !== current.region) dial();
    },
    250 + random() * 250,
  );

  const send = (
    link: Link,
    op: string,
    args: Readonly<Record<string, unknown>>,
    deadlineMs: number,
    plant: Plant | undefined,
  ): Promise<Reply> =>
    new Promise((resolve) => {
      const id = String(++lastId);
      const timer = setTimeout(
        () => setImmediate(() => settle({ kind: "timeout", origin: link.origin })),
        Math.max(0, Math.ceil(deadlineMs)),
      );
      const settle = (reply: Reply): void => {
        clearTimeout(timer);
        link.pending.delete(id);
        resolve(reply);
      };
      link.pending.set(id, settle);
      link.socket.send(JSON.stringify({ id, op, args: [args] }));
      if (plant !== "cut") return;
      link.isCutByUser = true;
      setTimeout(() => link.socket.terminate(), 1);
    });

  return {
    async start(patienceMs) {
      dial();
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        setTimeout(resolve, patienceMs).unref();
      });
    },
    async ask(op, args, deadlineMs, plant) {
      const issuedAt = performance.now();
      if (current === undefined) await wokenWithin(waiting, deadlineMs);
      const link = current;
      if (link === undefined) return { reply: { kind: "refused" }, region: route.region(Date.now()) };
      const left = deadlineMs - (performance.now() - issuedAt);
      return {
        reply: await send(link, op, args, plant === "impatient" ? Math.min(2, left) : left, plant),
        region: link.region,
      };
    },
    stop() {
      isStopped = true;
      clearInterval(follow);
      clearTimeout(redialTimer);
      current?.socket.close();
      next?.socket.terminate();
    },
  };
};

const NOTICE_JITTER_MS = 50;
const LOST_JITTER_MS = 30;
/** After a new link got a notice at once. */
const AGAIN_MS = 200;
/** How long an old link may still owe answers. */
const LEAVE_AFTER_MS = 1_000;

const UNKNOWN_ORIGIN: Origin = { release: "unknown", instance: "unknown" };
const UNCONNECTED: PrivateSocket = { send: () => undefined, close: () => undefined, terminate: () => undefined };

const textOr = (value: unknown): string => (typeof value === "string" && value !== "" ? value : "unknown");

const wokenWithin = (waiting: Set<() => void>, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      waiting.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    waiting.add(wake);
  });

/** A WebSocket answer to an order operation. */
const replyOf = (message: SocketMessage, origin: Origin): Reply => {
  const { code, data } = message;
  const row = Array.isArray(data) ? data.find(isFields) : undefined;
  const sCode = row?.["sCode"] ?? code;
  return {
    kind: "answer",
    code: typeof sCode === "string" ? sCode : undefined,
    ...(typeof row?.["ordId"] === "string" ? { ordId: row["ordId"] } : {}),
    isNoise: sCode === NOISE_CODE,
    origin,
  };
};
