import type { ProbeAccount } from "../../ports/watcher.ts";
import { openOrderSocket, type OrderSocket, type SocketEnd } from "./order-socket.ts";
import type { VenueReply } from "./okx-venue.ts";

/** Private WebSockets of the probe accounts: opened when first wanted, closed when nobody wants them any more. */
export type OrderSockets = {
  /** One that takes operations now, at the region's public address or at an instance; or what came of the last attempt to open one, told once. Undefined: there is none yet. */
  at(account: ProbeAccount, origin: string): OrderSocket | VenueReply | undefined;
  close(): void;
};

export type OrderSocketsOptions = {
  /** Address of the region's WebSocket API, as the environment gives it. */
  readonly ws: string;
  readonly publicOrigin: string;
  readonly isSimulated: boolean;
  readonly instrument: string;
  readonly onOrder: (account: ProbeAccount, row: Readonly<Record<string, unknown>>) => void;
};

type Link = {
  socket: OrderSocket | undefined;
  refusal: { readonly at: number; readonly reply: VenueReply } | undefined;
  usedAt: number;
};

/** The venue takes three connections a second from one address, and users come from there too. */
export const DIALS_PER_SEC = 2;
/** It allows 30 connections of an account to a channel. */
export const MOST_LINKS = 20;
const IDLE_MS = 20_000;
const LOOK_MS = 5_000;
/** A refusal that nobody asked for within this time is no news. */
const STALE_MS = 2_000;

export const orderSockets = (options: OrderSocketsOptions): OrderSockets => {
  const links = new Map<string, Link>();
  const mayDial = dialLimit();
  let isClosed = false;

  const open = (account: ProbeAccount, url: string, link: Link): void => {
    const onEnd = (end: SocketEnd): void => {
      // One that was given up already has nothing more to say.
      if (link.socket !== socket) return;
      link.socket = undefined;
      if (end.kind === "refused") link.refusal = { at: performance.now(), reply: end.reply };
    };
    const socket = openOrderSocket({
      url,
      account,
      isSimulated: options.isSimulated,
      instrument: options.instrument,
      onOrder: (row) => options.onOrder(account, row),
      onEnd,
    });
    link.socket = socket;
  };
  const giveUp = (link: Link): void => {
    const { socket } = link;
    link.socket = undefined;
    socket?.leave();
  };
  /** Whoever was not wanted for the longest time makes room. */
  const makeRoom = ({ apiKey }: ProbeAccount): void => {
    const own = [...links].filter(([key]) => key.startsWith(`${apiKey} `));
    const [oldest] = own.toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    if (own.length < MOST_LINKS || oldest === undefined) return;
    links.delete(oldest[0]);
    giveUp(oldest[1]);
  };
  const timer = setInterval(() => {
    for (const [key, link] of links) {
      if (performance.now() - link.usedAt < IDLE_MS) continue;
      links.delete(key);
      giveUp(link);
    }
  }, LOOK_MS);

  return {
    at(account, origin) {
      if (isClosed) return undefined;
      const url = origin === options.publicOrigin ? privateOf(options.ws) : privateAt(origin);
      const key = `${account.apiKey} ${url}`;
      const known = links.get(key);
      if (known === undefined) makeRoom(account);
      const link: Link = known ?? { socket: undefined, refusal: undefined, usedAt: 0 };
      if (known === undefined) links.set(key, link);
      const { refusal } = link;
      link.refusal = undefined;
      link.usedAt = performance.now();
      if (refusal !== undefined && link.usedAt - refusal.at < STALE_MS) return refusal.reply;
      if (link.socket === undefined && mayDial(url)) open(account, url, link);
      return link.socket?.isReady() === true ? link.socket : undefined;
    },
    close() {
      isClosed = true;
      clearInterval(timer);
      for (const link of links.values()) giveUp(link);
      links.clear();
    },
  };
};

/** Chains and proofs of a region share what an address allows. */
const dialLimit = (now: () => number = () => performance.now()): ((url: string) => boolean) => {
  const dials = new Map<string, readonly number[]>();
  return (url) => {
    const recent = (dials.get(url) ?? []).filter((at) => at > now() - 1_000);
    const isFree = recent.length < DIALS_PER_SEC;
    dials.set(url, isFree ? [...recent, now()] : recent);
    return isFree;
  };
};

/** `ws://host`, `ws://host/ws/v5` and `ws://host/ws/v5/private` all mean the last. A query stays. */
export const privateOf = (ws: string): string => {
  const url = new URL(ws);
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith("/private") ? path : `${path === "" ? "/ws/v5" : path}/private`;
  return url.href;
};

/** An instance serves WebSocket where it serves REST. */
const privateAt = (origin: string): string => privateOf(origin.replace(/^http/, "ws"));
