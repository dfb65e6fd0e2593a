import { randomBytes } from "node:crypto";
import type { WebSocket } from "ws";
import type { Account } from "../../accounts.ts";
import { authenticateLogin } from "../auth.ts";
import { msgOf } from "../codes.ts";
import type { GatewayContext } from "../context.ts";
import { isFields, readJson, textOf } from "../../fields.ts";
import type { Fields } from "../../fields.ts";
import { argOf, channelKind, keyOf } from "./channels.ts";
import type { Arg } from "./channels.ts";
import type { Hub } from "./hub.ts";
import { enterSocketOrders, socketOperation } from "./order-ops.ts";

/** One client's WebSocket connection. */
export type Session = {
  /** Announces that the connection will close for an upgrade (64008). Sent once. */
  notice(): void;
  /** Closes with 1012 as soon as no operation is in flight. */
  leave(): void;
  inflight(): number;
};

/** A connection on which nothing was said for this long is closed with 4004, in ms. */
export const IDLE_MS = 30_000;

/** The server will be back; the client should reconnect. */
const SERVICE_RESTART = 1012;

/** Serves a connection until it closes. All paths offer everything, as some clients use one address for all. */
export const openSession = (socket: WebSocket, hub: Hub, context: GatewayContext): Session => {
  const connId = randomBytes(4).toString("hex");
  const subscriptions = new Map<string, () => void>();
  let account: Account | undefined;
  let inflight = 0;
  let isLeaving = false;
  let hasNotice = false;

  const idle = setTimeout(() => socket.close(4004, "no data received in 30s"), IDLE_MS);
  const sendText = (text: string): void => {
    idle.refresh();
    if (socket.readyState === socket.OPEN) socket.send(text);
  };
  const send = (message: object): void => sendText(JSON.stringify(message));
  const closeWhenQuiet = (): void => {
    if (isLeaving && inflight === 0) socket.close(SERVICE_RESTART, "service upgrade");
  };
  const fail = (code: string, msg: string, request?: Fields): void => {
    const id = request && textOf(request, "id");
    send({ ...(id && { id }), event: "error", code, msg, connId });
  };

  const login = (request: Fields): void => {
    const args: unknown = request["args"];
    const fields = Array.isArray(args) && isFields(args[0]) ? args[0] : {};
    const [apiKey, passphrase] = [textOf(fields, "apiKey"), textOf(fields, "passphrase")];
    const signed = { apiKey, passphrase, timestamp: textOf(fields, "timestamp"), sign: textOf(fields, "sign") };
    const verdict = authenticateLogin(signed, context.keyring, context.now());
    if ("code" in verdict) return fail("60009", `Login failed: ${msgOf(verdict.code)}`);
    account = verdict.account;
    const { release, instance, region } = context.config;
    send({ event: "login", code: "0", msg: "", connId, release, instance, region });
  };

  const subscribe = (arg: Arg, request: Fields): void => {
    const kind = channelKind(arg.channel);
    if (kind === undefined)
      return fail("60018", `Wrong URL or channel:${arg.channel},instId:${arg.instId ?? ""} doesn't exist`, request);
    if (kind === "user" && account === undefined) return fail("60011", "Please log in", request);
    if (kind === "instrument" && arg.instId === undefined)
      return fail("60012", `Illegal request: ${JSON.stringify(request)}`, request);
    const id = textOf(request, "id");
    send({ ...(id !== "" && { id }), event: "subscribe", arg, connId });
    if (kind === "user") send({ event: "channel-conn-count", channel: arg.channel, connCount: "1", connId });
    if (subscriptions.has(keyOf(arg))) return;
    const uid = kind === "user" ? (account?.uid ?? "") : "";
    subscriptions.set(keyOf(arg), hub.add({ arg, uid, push: send }));
  };

  const unsubscribe = (arg: Arg, request: Fields): void => {
    subscriptions.get(keyOf(arg))?.();
    subscriptions.delete(keyOf(arg));
    const id = textOf(request, "id");
    send({ ...(id !== "" && { id }), event: "unsubscribe", arg, connId });
  };

  const operate = async (request: Fields): Promise<void> => {
    const release = context.drain.tryEnter();
    inflight += 1;
    try {
      send(await enterSocketOrders(request, account, release !== undefined, context));
    } finally {
      inflight -= 1;
      release?.();
      closeWhenQuiet();
    }
  };

  const receive = (text: string): void => {
    idle.refresh();
    if (text === "ping") return sendText("pong");
    const request = readJson(text);
    if (!isFields(request)) return fail("60012", `Illegal request: ${text.slice(0, 200)}`);
    const op = textOf(request, "op");
    if (op === "login") return login(request);
    if (op === "subscribe" || op === "unsubscribe") {
      const args: unknown = request["args"];
      if (!Array.isArray(args) || args.length === 0)
        return fail("60012", `Illegal request: ${text.slice(0, 200)}`, request);
      for (const fields of args.filter(isFields))
        (op === "subscribe" ? subscribe : unsubscribe)(argOf(fields), request);
      return;
    }
    if (socketOperation(op) === undefined) return fail("60012", `Illegal request: ${text.slice(0, 200)}`, request);
    void operate(request);
  };

  socket.on("message", (data: Buffer, isBinary) => {
    if (!isBinary) receive(data.toString("utf8"));
  });
  socket.on("error", () => socket.terminate());
  socket.on("close", () => {
    clearTimeout(idle);
    for (const end of subscriptions.values()) end();
    subscriptions.clear();
  });

  return {
    notice() {
      if (hasNotice) return;
      hasNotice = true;
      send({
        event: "notice",
        code: "64008",
        msg: "The connection will soon be closed for a service upgrade. Please reconnect.",
        connId,
      });
    },
    leave() {
      isLeaving = true;
      closeWhenQuiet();
    },
    inflight: () => inflight,
  };
};
