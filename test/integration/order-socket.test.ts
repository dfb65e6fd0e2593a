import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { openOrderSocket, type OrderSocket, type SocketEnd } from "../../src/adapters/guard-thread/order-socket.ts";
import { orderSockets } from "../../src/adapters/guard-thread/order-sockets.ts";
import { eventually } from "../fakes/watched-venue.ts";

const ACCOUNT = { apiKey: "key", secret: "secret", passphrase: "pass", cohort: "shard-1" };
const LOGIN = { event: "login", code: "0", msg: "", connId: "1", release: "gateway@2.0", instance: "tokyo-1" };
type Message = { readonly id?: string; readonly op: string; readonly args: readonly Record<string, unknown>[] };

let closers: readonly (() => void)[] = [];
afterEach(() => {
  for (const close of closers) close();
  closers = [];
});

/** A venue that answers as `act` says. */
const venueOf = async (act: (message: Message, socket: WebSocket) => void) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  const heard: Message[] = [];
  server.on("connection", (socket) => {
    socket.on("message", (data: Buffer) => {
      if (data.toString() === "ping") return socket.send("pong");
      const message = JSON.parse(data.toString()) as Message;
      heard.push(message);
      act(message, socket);
    });
  });
  await once(server, "listening");
  const terminate = (): void => {
    for (const client of server.clients) client.terminate();
    server.close();
  };
  closers = [...closers, terminate];
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, server };
};
const answering = (message: Message, socket: WebSocket, code = "0"): void => {
  if (message.op === "login") socket.send(JSON.stringify(LOGIN));
  else if (message.op !== "subscribe")
    socket.send(JSON.stringify({ id: message.id, op: message.op, code, msg: "", data: [{ sCode: code, sMsg: "" }] }));
};
const open = (url: string) => {
  const ends: SocketEnd[] = [];
  const rows: unknown[] = [];
  const socket: OrderSocket = openOrderSocket({
    url: `${url}/ws/v5/private`,
    account: ACCOUNT,
    isSimulated: false,
    instrument: "PROBE-USDT",
    onOrder: (row) => void rows.push(row),
    onEnd: (end) => void ends.push(end),
  });
  closers = [...closers, () => socket.leave()];
  return { socket, ends, rows };
};
const ready = async (url: string) => {
  const opened = open(url);
  await eventually(
    () => (opened.socket.isReady() ? true : undefined),
    5_000,
    () => JSON.stringify(opened.ends),
  );
  return opened;
};

describe("an order over WebSocket", () => {
  test("is sent after a login, and its answer tells the code of the row and who served it", async () => {
    const venue = await venueOf((message, socket) => answering(message, socket, "51008"));
    const { socket } = await ready(venue.url);
    const reply = await socket.send("amend", { instIdCode: 7, clOrdId: "mf1", newPx: "1" }, 1_000);
    expect(reply).toMatchObject({ http: 200, code: "51008", release: "gateway@2.0", instance: "tokyo-1" });
    expect(venue.heard.map(({ op }) => op)).toEqual(["login", "subscribe", "amend-order"]);
    expect(venue.heard.at(-1)?.args).toEqual([{ instIdCode: 7, clOrdId: "mf1", newPx: "1" }]);
  });

  test("that is answered for another id only has timed out at its deadline, and an answer that comes later is nobody's", async () => {
    const venue = await venueOf((message, socket) => {
      answering(message.op === "login" ? message : { ...message, id: `${message.id ?? ""}x` }, socket);
    });
    const { socket } = await ready(venue.url);
    const from = performance.now();
    expect(await socket.send("order", {}, 100)).toEqual({ transport: "timeout" });
    expect(performance.now() - from).toBeGreaterThan(90);
    expect(socket.isReady()).toBe(true);
  });

  test("whose connection is lost is ambiguous, and no more is sent there", async () => {
    const venue = await venueOf((message, socket) =>
      message.op === "order" ? socket.terminate() : answering(message, socket),
    );
    const { socket, ends } = await ready(venue.url);
    expect(await socket.send("order", {}, 2_000)).toEqual({ transport: "cut" });
    expect([socket.isReady(), ends]).toEqual([false, [{ kind: "ended" }]]);
    expect(await socket.send("order", {}, 2_000)).toEqual({ transport: "refused" });
  });

  test("in flight when the venue gives notice still gets its answer, and the connection is given up after it", async () => {
    let answer = (): void => undefined;
    const venue = await venueOf((message, socket) => {
      if (message.op !== "order") return answering(message, socket);
      socket.send(JSON.stringify({ event: "notice", code: "64008", msg: "", connId: "1" }));
      answer = () => answering(message, socket);
    });
    const { socket, ends } = await ready(venue.url);
    const reply = socket.send("order", {}, 3_000);
    await eventually(
      () => (ends.length > 0 ? true : undefined),
      2_000,
      () => "the notice",
    );
    expect([socket.isReady(), ends]).toEqual([false, [{ kind: "ended" }]]);
    answer();
    expect(await reply).toMatchObject({ code: "0" });
    await eventually(
      () => (venue.server.clients.size === 0 ? true : undefined),
      3_000,
      () => "the connection is closed",
    );
  });

  test("that the venue tells of on the orders channel is handed on", async () => {
    const venue = await venueOf((message, socket) => {
      answering(message, socket);
      if (message.op === "subscribe")
        socket.send(JSON.stringify({ arg: { channel: "orders" }, data: [{ clOrdId: "mf1", state: "filled" }] }));
    });
    const { rows } = await ready(venue.url);
    await eventually(
      () => (rows.length > 0 ? true : undefined),
      2_000,
      () => "the row",
    );
    expect(rows).toEqual([{ clOrdId: "mf1", state: "filled" }]);
  });
});

describe("a connection that never gets ready", () => {
  const refusedBy = async (act: (message: Message, socket: WebSocket) => void): Promise<readonly SocketEnd[]> => {
    const venue = await venueOf(act);
    const { ends } = open(venue.url);
    await eventually(
      () => (ends.length > 0 ? true : undefined),
      5_000,
      () => "its end",
    );
    return ends;
  };

  test("because the login is refused tells the code, which says nothing about the venue", async () => {
    const ends = await refusedBy((_, socket) =>
      socket.send(JSON.stringify({ event: "error", code: "60009", msg: "Login failed", connId: "1" })),
    );
    expect(ends).toEqual([{ kind: "refused", reply: { http: 200, rows: [], code: "60009" } }]);
  });

  test("because nobody answers the login has timed out", async () => {
    expect(await refusedBy(() => undefined)).toEqual([{ kind: "refused", reply: { transport: "timeout" } }]);
  });

  test("because nobody listens was refused", async () => {
    const venue = await venueOf(() => undefined);
    await new Promise<void>((resolve) => venue.server.close(() => resolve()));
    const { ends } = open(venue.url);
    await eventually(
      () => (ends.length > 0 ? true : undefined),
      5_000,
      () => "its end",
    );
    expect(ends).toEqual([{ kind: "refused", reply: { transport: "refused" } }]);
  });
});

describe("the connections of the probe accounts", () => {
  const of = (url: string) => {
    const sockets = orderSockets({
      ws: url,
      publicOrigin: "http://public",
      isSimulated: false,
      instrument: "PROBE-USDT",
      onOrder: () => undefined,
    });
    closers = [...closers, () => sockets.close()];
    return sockets;
  };
  const accounts = Array.from({ length: 9 }, (_, index) => ({ ...ACCOUNT, apiKey: `key-${index}` }));

  test("are dialled no oftener than twice a second at one address, below what the venue allows", async () => {
    const venue = await venueOf(answering);
    let dials = 0;
    venue.server.on("connection", () => dials++);
    const sockets = of(venue.url);
    const from = performance.now();
    await eventually(
      () => {
        for (const account of accounts) sockets.at(account, "http://public");
        return dials >= 5 ? true : undefined;
      },
      6_000,
      () => `${dials} connections`,
    );
    // The sixth second holds no more than two for each that has begun.
    expect(dials).toBeLessThanOrEqual(2 * Math.ceil((performance.now() - from) / 1_000) + 2);
    expect(performance.now() - from).toBeGreaterThan(1_900);
  });

  test("tell a refusal once, and dial again", async () => {
    let isOpen = false;
    const venue = await venueOf((message, socket) => (isOpen ? answering(message, socket) : socket.terminate()));
    const sockets = of(venue.url);
    const [account = ACCOUNT] = accounts;
    const next = () =>
      eventually(
        () => sockets.at(account, "http://public"),
        5_000,
        () => "what came of dialling",
      );
    expect(await next()).toEqual({ transport: "refused" });
    isOpen = true;
    // The attempt that was under way meanwhile may be refused as well.
    expect(
      await eventually(
        async () => ("send" in (await next()) ? true : undefined),
        5_000,
        () => "a connection",
      ),
    ).toBe(true);
  });

  test("are replaced after a notice, without a refusal", async () => {
    const venue = await venueOf(answering);
    const sockets = of(venue.url);
    const [account = ACCOUNT] = accounts;
    const opened = () =>
      eventually(
        () => sockets.at(account, "http://public"),
        5_000,
        () => "a connection",
      );
    const first = await opened();
    for (const client of venue.server.clients)
      client.send(JSON.stringify({ event: "notice", code: "64008", msg: "", connId: "1" }));
    const second = await eventually(
      () => {
        const socket = sockets.at(account, "http://public");
        return socket === undefined || socket === first ? undefined : socket;
      },
      5_000,
      () => "another connection",
    );
    expect("send" in first && "send" in second).toBe(true);
  });
});
