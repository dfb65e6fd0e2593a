import { createHmac } from "node:crypto";
import { WebSocket, type RawData } from "ws";
import type { OrderOperation } from "../../plan/operations-of.ts";
import type { ProbeAccount } from "../../ports/watcher.ts";
import { isRecord, parsed, type VenueAnswer, type VenueReply } from "./okx-venue.ts";

/** One private WebSocket of one account at one address: logged in, it takes order operations and gives each the answer with its id. */
export type OrderSocket = {
  /** Whether it takes operations: logged in, and not asked to leave. */
  isReady(): boolean;
  /** Never rejects. After `deadlineMs` the reply is a timeout; an answer that comes later, or for another id, is nobody's. */
  send(operation: OrderOperation, args: Readonly<Record<string, unknown>>, deadlineMs: number): Promise<VenueReply>;
  /** Closes as soon as no operation waits for its answer. */
  leave(): void;
};

export type OrderSocketOptions = {
  readonly url: string;
  readonly account: ProbeAccount;
  readonly isSimulated: boolean;
  readonly instrument: string;
  /** A row of the orders channel: one of the account's orders changed. */
  readonly onOrder: (row: Readonly<Record<string, unknown>>) => void;
  /** It takes no operations any more: the venue announced that it closes the connection (64008), or it is closed. */
  readonly onEnd: (end: SocketEnd) => void;
};

/** `refused`: it never was ready, and why. */
export type SocketEnd = { readonly kind: "ended" } | { readonly kind: "refused"; readonly reply: VenueReply };

/** From dialling to a login that was answered. */
const READY_MS = 2_000;
/** The venue closes after 30 s of silence. A connection on which not even a ping was answered meanwhile is dead. */
const PING_MS = 12_000;

const OPS: Readonly<Record<OrderOperation, string>> = { order: "order", amend: "amend-order", cancel: "cancel-order" };

export const openOrderSocket = (options: OrderSocketOptions): OrderSocket => {
  const { account } = options;
  const waiting = new Map<string, (reply: VenueReply) => void>();
  let phase: "opening" | "ready" | "leaving" | "closed" = "opening";
  let refusal: VenueReply = { transport: "refused" };
  let served: Pick<VenueAnswer, "release" | "instance"> = {};
  let isSilent = false;
  let nextId = 1;

  const socket = new WebSocket(options.url, {
    perMessageDeflate: false,
    handshakeTimeout: READY_MS + 500,
    headers: options.isSimulated ? { "x-simulated-trading": "1" } : {},
  });
  const send = (message: object): void => socket.send(JSON.stringify(message));
  const refuse = (reply: VenueReply): void => {
    refusal = reply;
    socket.terminate();
  };
  const patience = setTimeout(() => refuse({ transport: "timeout" }), READY_MS);
  const heartbeat = setInterval(() => {
    if (isSilent) return socket.terminate();
    isSilent = true;
    if (socket.readyState === WebSocket.OPEN) socket.send("ping");
  }, PING_MS);

  const closeWhenQuiet = (): void => {
    if (phase === "leaving" && waiting.size === 0) socket.close(1000);
  };
  const enter = (login: Readonly<Record<string, unknown>>): void => {
    clearTimeout(patience);
    if (phase === "opening") phase = "ready";
    const [release, instance] = [login["release"], login["instance"]];
    served = {
      ...(typeof release === "string" ? { release } : {}),
      ...(typeof instance === "string" ? { instance } : {}),
    };
    send({ op: "subscribe", args: [{ channel: "orders", instType: "SPOT", instId: options.instrument }] });
  };
  const hearEvent = (event: string, message: Readonly<Record<string, unknown>>): void => {
    const code = typeof message["code"] === "string" ? message["code"] : "";
    if (event === "login" && code === "0") return enter(message);
    if (event === "login" || (event === "error" && phase === "opening"))
      return refuse({ http: 200, rows: [], ...(code === "" ? {} : { code }) });
    if (event === "notice" && code === "64008" && phase === "ready") {
      phase = "leaving";
      options.onEnd({ kind: "ended" });
      closeWhenQuiet();
    } else if (event === "error") answer(message);
  };
  const answer = (message: Readonly<Record<string, unknown>>): void => {
    const { id, data, code } = message;
    const rows = Array.isArray(data) ? data.filter(isRecord) : [];
    const sCode = rows[0]?.["sCode"];
    const told = typeof sCode === "string" ? sCode : code;
    const reply = { http: 200, rows, ...(typeof told === "string" ? { code: told } : {}), ...served };
    if (typeof id === "string") waiting.get(id)?.(reply);
  };

  socket.on("open", () => send(loginOf(account)));
  socket.on("message", (raw, isBinary) => {
    isSilent = false;
    const message = isBinary ? undefined : parsed(textOf(raw));
    if (message === undefined) return;
    const { event, op, data } = message;
    if (typeof event === "string") return hearEvent(event, message);
    if (typeof op === "string") return answer(message);
    if (Array.isArray(data)) for (const row of data.filter(isRecord)) options.onOrder(row);
  });
  // Too many connections, or a key that is not let in, say nothing about the service. What else refuses has certainly taken nothing.
  socket.on("unexpected-response", (_, { statusCode = 0 }) =>
    refuse([401, 403, 429].includes(statusCode) ? { http: statusCode, rows: [] } : { transport: "refused" }),
  );
  socket.on("error", () => undefined); // `close` follows and tells it
  socket.on("close", () => {
    clearTimeout(patience);
    clearInterval(heartbeat);
    const wasOpening = phase === "opening";
    const wasReady = phase === "ready";
    phase = "closed";
    for (const settle of waiting.values()) settle({ transport: "cut" });
    if (wasOpening) options.onEnd({ kind: "refused", reply: refusal });
    else if (wasReady) options.onEnd({ kind: "ended" });
  });

  return {
    isReady: () => phase === "ready",
    send(operation, args, deadlineMs) {
      if (phase !== "ready") return Promise.resolve({ transport: "refused" });
      const id = (nextId++).toString(36);
      return new Promise((resolve) => {
        const settle = (reply: VenueReply): void => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve(reply);
          closeWhenQuiet();
        };
        const timer = setTimeout(() => settle({ transport: "timeout" }), deadlineMs);
        waiting.set(id, settle);
        send({ id, op: OPS[operation], args: [args] });
      });
    },
    leave() {
      if (phase === "closed") return;
      if (phase === "opening") return socket.terminate();
      phase = "leaving";
      closeWhenQuiet();
    },
  };
};

const loginOf = ({ apiKey, passphrase, secret }: ProbeAccount): object => {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const sign = createHmac("sha256", secret).update(`${timestamp}GET/users/self/verify`).digest("base64");
  return { op: "login", args: [{ apiKey, passphrase, timestamp, sign }] };
};

const textOf = (data: RawData): string => {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return data instanceof ArrayBuffer ? Buffer.from(data).toString() : data.toString();
};
