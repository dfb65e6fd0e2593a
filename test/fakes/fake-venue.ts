import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { accountOf } from "../../src/demo/venue/accounts.ts";

/** An order of the fake venue; fields as the API shows them. */
export type FakeOrder = {
  readonly uid: string;
  ordId: string;
  clOrdId: string;
  instId: string;
  px: string;
  sz: string;
  state: string;
  cancelSource: string;
  uTime: string;
};

/** What one operation of the fake venue is about to do, and what a test makes of it. */
export type FakeOperation = {
  readonly kind: "order" | "amend" | "cancel";
  readonly uid: string;
  readonly region: string;
  readonly protocol: "rest" | "ws";
  readonly count: number;
};
/** `code`: answer this and do nothing. `silent`: never answer. `cut`: close the connection. `pretend`: acknowledge and do nothing. `noise`: answer 50001 marked as seeded noise. */
export type FakeFault = { readonly code: string; readonly http: number } | "silent" | "cut" | "pretend" | "noise";

/** A small venue with two regions in this process: enough of the V5 API for the users' traffic. Holds state; drops nothing unless told to. */
export type FakeVenue = {
  readonly regions: Readonly<Record<"tokyo" | "frankfurt", { readonly rest: string; readonly ws: string }>>;
  readonly orders: Map<string, FakeOrder>;
  readonly leverage: Map<string, string>;
  readonly requests: { readonly region: string; readonly protocol: "rest" | "ws"; readonly kind: string }[];
  /** Asked before every order operation. */
  fault: (operation: FakeOperation) => FakeFault | undefined;
  /** Sends 64008 to all sockets of a region. */
  notice(region: "tokyo" | "frankfurt"): void;
  sockets(region: "tokyo" | "frankfurt"): number;
  /** How many logins with a subscription there were in all. */
  dialled(region: "tokyo" | "frankfurt"): number;
  /** The fewest subscribed sockets at any time since the last notice. */
  fewestSockets(region: "tokyo" | "frankfurt"): number;
  /** A region takes connections and requests, and answers nothing any more; false: answers again. */
  mute(region: "tokyo" | "frankfurt", isMute: boolean): void;
  /** Kills a region: nothing listens there any more. */
  kill(region: "tokyo" | "frankfurt"): Promise<void>;
  /** Lets a killed region listen on its old port again. */
  revive(region: "tokyo" | "frankfurt"): Promise<void>;
  close(): Promise<void>;
};

type RegionName = "tokyo" | "frankfurt";
type Fields = Record<string, string>;
type Row = { ordId: string; clOrdId: string; tag: string; ts: string; sCode: string; sMsg: string };

const CODES: Record<string, string> = { "3": "BTC-USDT", "4": "ETH-USDT" };

export const createFakeVenue = async (uids: readonly string[], keySeed: string): Promise<FakeVenue> => {
  const byKey = new Map(uids.map((uid) => [accountOf(uid, "production", keySeed).apiKey, uid]));
  const orders = new Map<string, FakeOrder>();
  const leverage = new Map<string, string>();
  const requests: FakeVenue["requests"] = [];
  const subscribers = new Map<WebSocket, string>();
  let nextId = 100_000_000_000_000_000n;
  let count = 0;

  const push = (order: FakeOrder): void => {
    for (const [socket, uid] of subscribers) {
      if (uid === order.uid)
        socket.send(JSON.stringify({ arg: { channel: "orders", instType: "ANY", uid }, data: [order] }));
    }
  };
  const findOrder = (uid: string, fields: Fields): FakeOrder | undefined =>
    fields["ordId"] !== undefined
      ? orders.get(fields["ordId"])
      : [...orders.values()].findLast((order) => order.uid === uid && order.clOrdId === fields["clOrdId"]);
  const row = (order: Partial<FakeOrder>, sCode: string): Row => ({
    ordId: order.ordId ?? "",
    clOrdId: order.clOrdId ?? "",
    tag: "",
    ts: String(Date.now()),
    sCode,
    sMsg: "",
  });
  const place = (uid: string, fields: Fields, pretend: boolean): Row => {
    const order: FakeOrder = {
      uid,
      ordId: String(nextId++),
      clOrdId: fields["clOrdId"] ?? "",
      instId: fields["instId"] ?? CODES[fields["instIdCode"] ?? ""] ?? "",
      px: fields["px"] ?? "",
      sz: fields["sz"] ?? "",
      state: fields["ordType"] === "ioc" ? "canceled" : "live",
      cancelSource: fields["ordType"] === "ioc" ? "14" : "",
      uTime: String(Date.now()),
    };
    if (!pretend) {
      orders.set(order.ordId, order);
      push(order);
    }
    return row(order, "0");
  };
  const change = (kind: "amend" | "cancel", uid: string, fields: Fields, pretend: boolean): Row => {
    const order = findOrder(uid, fields);
    if (order === undefined || order.state !== "live") return row({}, kind === "amend" ? "51503" : "51400");
    if (pretend) return row(order, "0");
    if (kind === "cancel") Object.assign(order, { state: "canceled", cancelSource: "1" });
    else Object.assign(order, { px: fields["newPx"] ?? order.px, sz: fields["newSz"] ?? order.sz });
    order.uTime = String(Date.now());
    push(order);
    return row(order, "0");
  };
  const venue: FakeVenue = {
    regions: { tokyo: { rest: "", ws: "" }, frankfurt: { rest: "", ws: "" } },
    orders,
    leverage,
    requests,
    fault: () => undefined,
    notice: (region) => servers[region].notice(),
    sockets: (region) => servers[region].sockets.clients.size,
    dialled: (region) => servers[region].dialled(),
    fewestSockets: (region) => servers[region].fewest(),
    mute: (region, isMute) => servers[region].mute(isMute),
    kill: (region) => servers[region].kill(),
    revive: (region) => servers[region].listen(),
    close: async () => {
      await Promise.all([servers.tokyo.kill(), servers.frankfurt.kill()]);
    },
  };
  /** undefined: no answer. */
  const operate = (
    kind: "order" | "amend" | "cancel",
    uid: string,
    fields: Fields,
    region: string,
    protocol: "rest" | "ws",
  ): Row | FakeFault => {
    requests.push({ region, protocol, kind });
    const fault = venue.fault({ kind, uid, region, protocol, count: ++count });
    if (fault !== undefined && fault !== "pretend") return fault;
    const pretend = fault === "pretend";
    return kind === "order" ? place(uid, fields, pretend) : change(kind, uid, fields, pretend);
  };

  const serve = async (region: RegionName): Promise<RegionServer> => {
    const connections = new Set<Socket>();
    let isMute = false;
    let [dialled, subscribed, fewest] = [0, 0, 0];
    const sockets = new WebSocketServer({ noServer: true });
    const handle = (request: IncomingMessage, response: ServerResponse, body: string): void => {
      const url = new URL(request.url ?? "", "http://venue");
      const uid = byKey.get(String(request.headers["ok-access-key"])) ?? "";
      const headers = {
        "content-type": "application/json",
        "x-venue-release": "1.0",
        "x-venue-instance": `${region}-1`,
        "x-venue-region": region,
      };
      const send = (http: number, value: object, more: object = {}): void => {
        response.writeHead(http, { ...headers, ...more });
        response.end(JSON.stringify(value));
      };
      const ok = (data: readonly unknown[]): void => send(200, { code: "0", msg: "", data });
      const kind = OPERATIONS[url.pathname];
      const fields = body === "" ? {} : (JSON.parse(body) as Fields);
      if (kind !== undefined && request.method === "POST") {
        const result = operate(kind, uid, fields, region, "rest");
        if (result === "silent") return;
        if (result === "cut") return void request.socket.destroy();
        if (result === "noise") return send(429, { code: "50013", msg: "", data: [] });
        if (typeof result === "string") return;
        if ("code" in result) return send(result.http, { code: result.code, msg: "", data: [] });
        return send(200, { code: result.sCode === "0" ? "0" : "1", msg: "", data: [result] });
      }
      const query = Object.fromEntries(url.searchParams);
      switch (url.pathname) {
        case "/api/v5/public/time":
          return ok([{ ts: String(Date.now()) }]);
        case "/api/v5/public/instruments":
          return ok([
            { instId: "BTC-USDT", instIdCode: 3, tickSz: "0.1", lotSz: "0.00000001" },
            { instId: "ETH-USDT", instIdCode: 4, tickSz: "0.01", lotSz: "0.000001" },
          ]);
        case "/api/v5/market/ticker":
          return ok([{ instId: query["instId"], last: query["instId"] === "BTC-USDT" ? "60000" : "3000" }]);
        case "/api/v5/trade/orders-pending":
          return ok([...orders.values()].filter((order) => order.uid === uid && order.state === "live"));
        case "/api/v5/account/set-leverage":
          leverage.set(uid, fields["lever"] ?? "");
          return ok([{ lever: fields["lever"] }]);
        case "/api/v5/account/leverage-info":
          return ok([{ lever: leverage.get(uid) ?? "1" }]);
        case "/api/v5/trade/order": {
          const order = findOrder(uid, query);
          return order === undefined
            ? send(200, { code: "51603", msg: "Order does not exist", data: [] })
            : ok([order]);
        }
        default:
          return send(404, { code: "404", msg: "", data: [] });
      }
    };
    const speak = (socket: WebSocket): void => {
      let uid = "";
      socket.on("close", () => {
        if (subscribers.delete(socket)) fewest = Math.min(fewest, --subscribed);
      });
      socket.on("message", (data: Buffer) => {
        if (isMute) return;
        const text = data.toString();
        if (text === "ping") return socket.send("pong");
        const message = JSON.parse(text) as { id?: string; op: string; args: [Fields] };
        if (message.op === "login") {
          uid = byKey.get(message.args[0]["apiKey"] ?? "") ?? "";
          return socket.send(
            JSON.stringify({ event: "login", code: "0", msg: "", release: "1.0", instance: `${region}-1`, region }),
          );
        }
        if (message.op === "subscribe") {
          subscribers.set(socket, uid);
          dialled++;
          subscribed++;
          return socket.send(JSON.stringify({ event: "subscribe", arg: message.args[0] }));
        }
        const kind = SOCKET_OPERATIONS[message.op];
        if (kind === undefined) return;
        const result = operate(kind, uid, message.args[0], region, "ws");
        if (result === "silent") return;
        if (result === "cut") return socket.terminate();
        const { id, op } = message;
        if (result === "noise") return socket.send(JSON.stringify({ id, op, code: "50013", msg: "", data: [] }));
        if (typeof result === "string") return;
        if ("code" in result) return socket.send(JSON.stringify({ id, op, code: result.code, msg: "", data: [] }));
        socket.send(JSON.stringify({ id, op, code: result.sCode === "0" ? "0" : "1", msg: "", data: [result] }));
      });
    };
    const server: Server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => isMute || handle(request, response, Buffer.concat(chunks).toString()));
    });
    server.on("connection", (socket) => {
      connections.add(socket);
      socket.on("close", () => connections.delete(socket));
    });
    server.on("upgrade", (request, socket, head) => sockets.handleUpgrade(request, socket, head, speak));
    let port = 0;
    const listen = (): Promise<void> =>
      new Promise((resolve) =>
        server.listen(port, "127.0.0.1", () => {
          port = (server.address() as AddressInfo).port;
          resolve();
        }),
      );
    await listen();
    return {
      port,
      sockets,
      listen,
      mute: (is) => {
        isMute = is;
      },
      dialled: () => dialled,
      fewest: () => fewest,
      notice: () => {
        fewest = subscribed;
        for (const socket of sockets.clients)
          socket.send(JSON.stringify({ event: "notice", code: "64008", msg: "upgrade" }));
      },
      kill: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          for (const socket of connections) socket.destroy();
        }),
    };
  };
  const servers: Record<RegionName, RegionServer> = {
    tokyo: await serve("tokyo"),
    frankfurt: await serve("frankfurt"),
  };
  const addresses = ({ port }: RegionServer): { rest: string; ws: string } => ({
    rest: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
  });
  return Object.assign(venue, {
    regions: { tokyo: addresses(servers.tokyo), frankfurt: addresses(servers.frankfurt) },
  });
};

type RegionServer = {
  readonly port: number;
  readonly sockets: WebSocketServer;
  mute(isMute: boolean): void;
  dialled(): number;
  fewest(): number;
  notice(): void;
  listen(): Promise<void>;
  kill(): Promise<void>;
};

const OPERATIONS: Record<string, "order" | "amend" | "cancel"> = {
  "/api/v5/trade/order": "order",
  "/api/v5/trade/amend-order": "amend",
  "/api/v5/trade/cancel-order": "cancel",
};
const SOCKET_OPERATIONS: Record<string, "order" | "amend" | "cancel"> = {
  order: "order",
  "amend-order": "amend",
  "cancel-order": "cancel",
};
