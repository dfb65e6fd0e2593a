import { WebSocket } from "ws";
import type { Account } from "../../src/demo/venue/accounts.ts";
import { signatureOf } from "../../src/demo/venue/gateway/auth.ts";

export type Message = Readonly<Record<string, unknown>>;

/** A plain WebSocket client that keeps all it hears. */
export type SocketClient = {
  send(message: object | string): void;
  /** The first message, already heard or still to come, that matches; rejects after 5 s. */
  heard(matches: (message: Message) => boolean): Promise<Message>;
  readonly messages: readonly Message[];
  /** The close code. */
  readonly closed: Promise<number>;
  close(): void;
};

export const connectSocket = async (origin: string, path = "/ws/v5/private"): Promise<SocketClient> => {
  const socket = new WebSocket(origin.replace("http", "ws") + path);
  const messages: Message[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer) => {
    const text = data.toString();
    messages.push(text === "pong" ? { text } : (JSON.parse(text) as Message));
    for (const look of waiting) look();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => socket.once("open", () => resolve()).once("error", reject));
  return {
    messages,
    closed,
    send: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
    heard: (matches) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not heard; heard ${JSON.stringify(messages)}`)), 5_000);
        const look = (): void => {
          const found = messages.find(matches);
          if (found === undefined) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: () => socket.close(),
  };
};

export const loginOf = (account: Account, nowMs = Date.now()): object => {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const sign = signatureOf(account.secret, `${timestamp}GET/users/self/verify`);
  return { op: "login", args: [{ apiKey: account.apiKey, passphrase: account.passphrase, timestamp, sign }] };
};

/** Connects and logs in. */
export const loggedIn = async (origin: string, account: Account): Promise<SocketClient> => {
  const client = await connectSocket(origin);
  client.send(loginOf(account));
  await client.heard((message) => message["event"] === "login");
  return client;
};
