import { WebSocket } from "ws";
import type { RawData } from "ws";
import { fieldsIn } from "./fields.ts";
import type { Fields } from "./fields.ts";
import { loginMessage } from "./sign.ts";
import type { Credentials } from "./sign.ts";

/** A message of the venue, parsed. */
export type SocketMessage = Fields;

/** What the owner of a socket hears. After `closed` nothing follows. */
export type SocketEvents = {
  /** Logged in and subscribed to the orders channel. `login` carries release, instance and region of the gateway. */
  readonly ready: (login: SocketMessage) => void;
  readonly message: (message: SocketMessage) => void;
  /** Notice 64008: the gateway will close this socket. */
  readonly notice: () => void;
  readonly closed: (code: number) => void;
};

/** One private WebSocket. */
export type PrivateSocket = {
  send(text: string): void;
  /** Says goodbye. */
  close(): void;
  /** Cuts the connection without a word. */
  terminate(): void;
};

/** Opens `<origin>/ws/v5/private`, logs in and subscribes to `orders`. A refused login, a failed dial, or 1 s without success ends in `closed`. */
export const openPrivateSocket = (
  origin: string,
  who: Credentials,
  simulatedTrading: boolean,
  events: SocketEvents,
): PrivateSocket => {
  const headers: Record<string, string> = simulatedTrading ? { "x-simulated-trading": "1" } : {};
  const socket = new WebSocket(`${origin}/ws/v5/private`, {
    perMessageDeflate: false,
    handshakeTimeout: 2_000,
    headers,
  });
  let login: SocketMessage | undefined;
  // Clients keep a silent socket alive; the venue closes after 30 s of silence.
  const heartbeat = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send("ping"), 15_000);
  // A venue that takes the connection and says nothing is no venue.
  const patience = setTimeout(() => socket.terminate(), READY_WITHIN_MS);
  socket.on("open", () => socket.send(loginMessage(who, Date.now())));
  socket.on("message", (data, isBinary) => {
    const text = isBinary ? "" : textOf(data);
    if (text === "" || text === "pong") return;
    const message = fieldsIn(text);
    if (message === undefined) return;
    switch (message["event"]) {
      case "login":
        login = message;
        if (message["code"] !== "0") return socket.terminate();
        return socket.send(JSON.stringify({ op: "subscribe", args: [{ channel: "orders", instType: "ANY" }] }));
      case "subscribe":
        clearTimeout(patience);
        return events.ready(login ?? {});
      case "notice":
        return message["code"] === "64008" ? events.notice() : events.message(message);
      case "error":
        // Before the login this is its refusal.
        return login === undefined ? socket.terminate() : events.message(message);
      default:
        return events.message(message);
    }
  });
  socket.on("error", () => undefined); // `close` follows and tells it
  socket.on("close", (code) => {
    clearInterval(heartbeat);
    clearTimeout(patience);
    events.closed(code);
  });
  return {
    send: (text) => socket.send(text),
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
};

const READY_WITHIN_MS = 1_000;

const textOf = (data: RawData): string => {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
};
