import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import type { OrderOperation } from "../../src/plan/operations-of.ts";
import type { ProbeAccount } from "../../src/ports/watcher.ts";

/** What shall go wrong, where. All that is named must match. */
export type Fault = {
  readonly operation?: OrderOperation;
  readonly instances?: readonly string[];
  readonly cohorts?: readonly string[];
  readonly who?: "users" | "probes";
  readonly protocol?: "rest" | "ws";
  /** Share of the operations. Default 1. */
  readonly share?: number;
  /** A code, no answer at all, or an acknowledgement that nothing follows. */
  readonly how: { readonly code: string; readonly http: number } | "hang" | "ignore";
};

export type OkxServerOptions = {
  readonly region: string;
  readonly instances: readonly { readonly id: string; readonly release: string }[];
  readonly accounts: readonly ProbeAccount[];
  /** User operations per second that show in the counters only. Default 0. */
  readonly usersPerSec?: number;
  readonly seed?: number;
};

type Order = {
  readonly clOrdId: string;
  readonly ordId: string;
  readonly apiKey: string;
  readonly tag: string;
  px: string;
  readonly side: string;
  readonly sz: string;
  accFillSz: string;
  state: "live" | "filled" | "canceled";
};

const METRIC = "venue_operations_total";

/** A region of a venue in a few lines: a public address, one address for each instance, counters. It speaks as much OKX V5 as probes need. */
export const startOkxServer = async (options: OkxServerOptions) => {
  const { region, accounts } = options;
  const orders = new Map<string, Order>();
  const counters = new Map<string, Map<string, number>>(options.instances.map(({ id }) => [id, new Map()]));
  const switches = new Map<string, NodeJS.Timeout>();
  const switchedAt = new Map<string, number>();
  let faults: readonly Fault[] = [];
  let exposed: readonly string[] = options.instances.map(({ id }) => id);
  let metricsAs: ((text: string) => string) | undefined;
  let isLoginBarred = false;
  let overSocket = 0;
  const sockets = new WebSocketServer({ noServer: true });
  const places = new Map<WebSocket, string>();
  let turn = 0;
  let seen = 0;
  let random = (options.seed ?? 1) >>> 0;
  const draw = (): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random / 4_294_967_296;
  };

  const faultOf = (
    operation: OrderOperation,
    instance: string,
    cohort: string,
    who: "users" | "probes",
    protocol: "rest" | "ws",
  ): Fault | undefined =>
    faults.find(
      (fault) =>
        (fault.operation ?? operation) === operation &&
        (fault.instances ?? [instance]).includes(instance) &&
        (fault.cohorts ?? [cohort]).includes(cohort) &&
        (fault.who ?? who) === who &&
        (fault.protocol ?? protocol) === protocol &&
        draw() < (fault.share ?? 1),
    );
  const count = (
    instance: string,
    operation: OrderOperation,
    code: string,
    http: number,
    cohort: string,
    protocol = "rest",
  ): void => {
    const labels = `operation="${operation}",code="${code}",http="${http}",cohort="${cohort}",protocol="${protocol}"`;
    const own = counters.get(instance);
    own?.set(labels, (own.get(labels) ?? 0) + 1);
  };

  const answerTrade = (
    operation: OrderOperation,
    body: Readonly<Record<string, unknown>>,
    account: ProbeAccount,
  ): string => {
    const text = (name: string): string => {
      const value = body[name];
      return typeof value === "string" ? value : "";
    };
    const key = text("clOrdId");
    const order = orders.get(key);
    // Somebody always buys what is offered at once.
    const isSale = text("side") === "sell";
    switch (operation) {
      case "order":
        if (order?.state === "live") return "51016";
        orders.set(key, {
          clOrdId: key,
          ordId: String(700_000_000_000_000_000n + BigInt(orders.size)),
          apiKey: account.apiKey,
          tag: text("tag"),
          side: text("side"),
          sz: text("sz"),
          accFillSz: isSale ? text("sz") : "0",
          px: text("px"),
          state: isSale ? "filled" : "live",
        });
        return "0";
      case "amend":
        if (order?.state !== "live") return "51503";
        order.px = text("newPx") === "" ? order.px : text("newPx");
        return "0";
      case "cancel":
        if (order?.state !== "live") return "51400";
        order.state = "canceled";
        return "0";
    }
  };

  const handle = async (
    request: IncomingMessage,
    response: ServerResponse,
    instance: string | undefined,
  ): Promise<void> => {
    const target = request.url ?? "";
    const [path = ""] = target.split("?");
    const body = await readBody(request);
    const send = (http: number, value: unknown): void => {
      const release = options.instances.find(({ id }) => id === instance)?.release;
      const headers = {
        "content-type": "application/json",
        ...(instance === undefined
          ? {}
          : { "x-venue-instance": instance, "x-venue-release": release ?? "", "x-venue-region": region }),
      };
      response.writeHead(http, headers).end(JSON.stringify(value));
    };
    if (path === "/-/metrics") {
      const text = [...(counters.get(instance ?? "") ?? [])]
        .map(([labels, value]) => `${METRIC}{${labels}} ${value}`)
        .join("\n");
      const page = `# TYPE ${METRIC} counter\n${text}\nup 1\n`;
      response.writeHead(200).end(metricsAs === undefined ? page : metricsAs(page));
      return;
    }
    if (instance === undefined) return send(503, { code: "50001", msg: "Service temporarily unavailable", data: [] });
    const query = new URLSearchParams(target.split("?")[1]);
    if (path === "/api/v5/public/instruments")
      return send(
        200,
        ok([{ instId: query.get("instId"), tickSz: "0.01", lotSz: "0.01", minSz: "0.01", state: "live" }]),
      );
    if (path === "/api/v5/market/ticker")
      return send(200, ok([{ instId: query.get("instId"), last: "100", bidPx: "", askPx: "" }]));
    const account = authenticated(request, target, body, accounts);
    if (account === undefined) return send(401, { code: "50113", msg: "Invalid Sign", data: [] });
    if (path === "/api/v5/trade/fills")
      return send(
        200,
        ok([...orders.values()].filter((one) => one.apiKey === account.apiKey && Number(one.accFillSz) > 0)),
      );
    if (path === "/api/v5/trade/orders-pending")
      return send(
        200,
        ok([...orders.values()].filter((order) => order.apiKey === account.apiKey && order.state === "live")),
      );
    if (request.method === "GET") {
      const order = orders.get(query.get("clOrdId") ?? "");
      return order === undefined
        ? send(200, { code: "51603", msg: "Order does not exist", data: [] })
        : send(200, ok([order]));
    }
    const fields = JSON.parse(body) as Record<string, string>;
    if (path === "/api/v5/trade/cancel-all-after") {
      if (performance.now() - (switchedAt.get(account.apiKey) ?? -Infinity) < 1_000)
        return send(429, { code: "50011", msg: "Requests too frequent", data: [] });
      switchedAt.set(account.apiKey, performance.now());
      setSwitch(account, Number(fields["timeOut"]), fields["tag"] ?? "");
      return send(200, ok([{ triggerTime: "0", tag: fields["tag"], ts: "0" }]));
    }
    const operation: OrderOperation = path.endsWith("amend-order")
      ? "amend"
      : path.endsWith("cancel-order")
        ? "cancel"
        : "order";
    const answer = operate({ operation, instance, account, protocol: "rest", fields });
    if (answer === "none") return;
    send(answer.http, { code: answer.code === "0" ? "0" : "1", msg: "", data: [rowOf(fields, answer.code)] });
  };

  type Asked = {
    readonly operation: OrderOperation;
    readonly instance: string;
    readonly account: ProbeAccount;
    readonly protocol: "rest" | "ws";
    readonly fields: Readonly<Record<string, unknown>>;
  };
  /** "none": it is never answered. */
  const operate = ({
    operation,
    instance,
    account,
    protocol,
    fields,
  }: Asked): "none" | { readonly http: number; readonly code: string } => {
    seen++;
    if (protocol === "ws") overSocket++;
    const fault = faultOf(operation, instance, account.cohort, "probes", protocol);
    if (fault?.how === "hang") return "none";
    const answer =
      typeof fault?.how === "object"
        ? fault.how
        : { http: 200, code: fault?.how === "ignore" ? "0" : answerTrade(operation, fields, account) };
    count(instance, operation, answer.code, answer.http, account.cohort, protocol);
    return answer;
  };
  const rowOf = (fields: Readonly<Record<string, unknown>>, code: string) => ({
    clOrdId: fields["clOrdId"],
    ordId: "",
    sCode: code,
    sMsg: "",
  });

  /** One private connection to an instance. */
  const speak = (socket: WebSocket, instance: string): void => {
    places.set(socket, instance);
    socket.on("close", () => places.delete(socket));
    let account: ProbeAccount | undefined;
    const send = (message: object): void => socket.send(JSON.stringify(message));
    socket.on("message", (data: Buffer) => {
      const text = data.toString();
      if (text === "ping") return socket.send("pong");
      const message = JSON.parse(text) as {
        readonly id?: string;
        readonly op: string;
        readonly args: readonly [Readonly<Record<string, unknown>>];
      };
      const { id, op } = message;
      const [fields] = message.args;
      if (op === "login") {
        account = isLoginBarred ? undefined : loggedIn(fields, accounts);
        const release = options.instances.find((one) => one.id === instance)?.release;
        return account === undefined
          ? send({ event: "error", code: "60009", msg: "Login failed", connId: "1" })
          : send({ event: "login", code: "0", msg: "", connId: "1", instance, release, region });
      }
      if (op === "subscribe") return send({ event: "subscribe", arg: fields, connId: "1" });
      const operation = SOCKET_OPS[op];
      if (operation === undefined || account === undefined)
        return send({ id, event: "error", code: account === undefined ? "60011" : "60012", msg: "", connId: "1" });
      const answer = operate({ operation, instance, account, protocol: "ws", fields });
      if (answer === "none") return;
      send({ id, op, code: answer.code === "0" ? "0" : "1", msg: "", data: [rowOf(fields, answer.code)] });
    });
  };

  const setSwitch = (account: ProbeAccount, seconds: number, tag: string): void => {
    clearTimeout(switches.get(account.apiKey));
    if (seconds === 0) return void switches.delete(account.apiKey);
    const fire = (): void => {
      for (const order of orders.values())
        if (order.apiKey === account.apiKey && order.tag === tag && order.state === "live") order.state = "canceled";
    };
    switches.set(account.apiKey, setTimeout(fire, seconds * 1000).unref());
  };

  const serve = async (
    instanceOf: () => string | undefined,
  ): Promise<{ readonly server: Server; readonly url: string }> => {
    const server = createServer((request, response) => void handle(request, response, instanceOf()));
    server.on("upgrade", (request, socket, head) => {
      const instance = instanceOf();
      if (instance === undefined)
        return void socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n");
      sockets.handleUpgrade(request, socket, head, (opened) => speak(opened, instance));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };
  const alive = new Map<string, { readonly server: Server; readonly url: string }>();
  for (const { id } of options.instances) alive.set(id, await serve(() => id));
  const front = await serve(() => {
    const able = exposed.filter((id) => alive.has(id));
    return able[turn++ % Math.max(1, able.length)];
  });

  let owed = 0;
  let isAtRest = false;
  const users = setInterval(() => {
    owed += isAtRest ? 0 : (options.usersPerSec ?? 0) / 50;
    for (; owed >= 1; owed--) {
      const able = exposed.filter((id) => alive.has(id));
      const instance = able[Math.floor(draw() * able.length)];
      if (instance === undefined) continue;
      const operation = (["order", "amend", "cancel"] as const)[Math.floor(draw() * 3)] ?? "order";
      const cohort = `shard-${Math.floor(draw() * 10)}`;
      const how = faultOf(operation, instance, cohort, "users", "rest")?.how;
      count(
        instance,
        operation,
        typeof how === "object" ? how.code : how === undefined ? "0" : "51149",
        typeof how === "object" ? how.http : how === undefined ? 200 : 500,
        cohort,
      );
    }
  }, 20);

  const kill = (id: string): void => {
    const found = alive.get(id);
    alive.delete(id);
    for (const [socket, place] of places) if (place === id) socket.terminate();
    found?.server.closeAllConnections();
    found?.server.close();
  };

  return {
    url: front.url,
    urlOf: (id: string): string => alive.get(id)?.url ?? "",
    fault: (next: readonly Fault[]): void => void (faults = next),
    /** Users pause, so that what they did before a fault and what they do after it stand in different counts. */
    rest: (next: boolean): void => void (isAtRest = next),
    /** Who takes users and the public address's requests. */
    expose: (ids: readonly string[]): void => void (exposed = ids),
    restartCounters: (id: string): void => void counters.set(id, new Map()),
    metricsAs: (change: ((text: string) => string) | undefined): void => void (metricsAs = change),
    kill,
    openOrders: (): number => [...orders.values()].filter(({ state }) => state === "live").length,
    /** An order that somebody left behind. */
    leave: (account: ProbeAccount, clOrdId: string): void =>
      void orders.set(clOrdId, {
        clOrdId,
        ordId: "1",
        apiKey: account.apiKey,
        tag: "",
        px: "1",
        side: "buy",
        sz: "0.01",
        accFillSz: "0",
        state: "live",
      }),
    /** Somebody buys into orders of probes: so many of those that rest are filled. Their ids. */
    fill: (most: number): readonly string[] => {
      const filled = [...orders.values()].filter(({ state }) => state === "live").slice(0, most);
      for (const order of filled) Object.assign(order, { state: "filled", accFillSz: order.sz });
      return filled.map(({ clOrdId }) => clOrdId);
    },
    /** What was sold. */
    sales: (): readonly { readonly clOrdId: string; readonly sz: string; readonly px: string }[] =>
      [...orders.values()].filter(({ side }) => side === "sell").map(({ clOrdId, sz, px }) => ({ clOrdId, sz, px })),
    /** WebSocket connections that are open now. */
    sockets: (): number => sockets.clients.size,
    /** Operations that came over WebSocket. */
    socketOperations: (): number => overSocket,
    /** Every connection is told that it will be closed (64008), and is closed when `closeAfterMs` are over. */
    notice(closeAfterMs: number): void {
      for (const socket of sockets.clients) {
        socket.send(JSON.stringify({ event: "notice", code: "64008", msg: "", connId: "1" }));
        setTimeout(() => socket.close(1012), closeAfterMs).unref();
      }
    },
    /** Nobody logs in any more, or whoever may. */
    bar: (isBarred: boolean): void => void (isLoginBarred = isBarred),
    /** Switches that are armed. */
    switches: (): number => switches.size,
    /** Order operations that arrived. */
    operations: (): number => seen,
    close(): void {
      clearInterval(users);
      for (const timer of switches.values()) clearTimeout(timer);
      for (const id of alive.keys()) kill(id);
      for (const socket of sockets.clients) socket.terminate();
      front.server.closeAllConnections();
      front.server.close();
    },
  };
};

export type OkxServer = Awaited<ReturnType<typeof startOkxServer>>;

/** Probe accounts, one in each of ten cohorts. */
export const probeAccounts = (region: string, count = 10): readonly ProbeAccount[] =>
  Array.from({ length: count }, (_, index) => ({
    apiKey: `${region}-${index}`,
    secret: `secret-${index}`,
    passphrase: "p",
    cohort: `shard-${index}`,
  }));

const ok = (data: readonly unknown[]) => ({ code: "0", msg: "", data });

const readBody = async (request: IncomingMessage): Promise<string> => {
  let body = "";
  for await (const chunk of request) body += String(chunk);
  return body;
};

const authenticated = (
  request: IncomingMessage,
  target: string,
  body: string,
  accounts: readonly ProbeAccount[],
): ProbeAccount | undefined => {
  const header = (name: string): string => String(request.headers[name] ?? "");
  const account = accounts.find(({ apiKey }) => apiKey === header("ok-access-key"));
  if (account === undefined) return undefined;
  const sign = createHmac("sha256", account.secret)
    .update(`${header("ok-access-timestamp")}${request.method ?? ""}${target}${body}`)
    .digest("base64");
  return sign === header("ok-access-sign") ? account : undefined;
};

const SOCKET_OPS: Readonly<Record<string, OrderOperation>> = {
  order: "order",
  "amend-order": "amend",
  "cancel-order": "cancel",
};

const loggedIn = (
  fields: Readonly<Record<string, unknown>>,
  accounts: readonly ProbeAccount[],
): ProbeAccount | undefined => {
  const account = accounts.find(({ apiKey }) => apiKey === fields["apiKey"]);
  if (account === undefined || typeof fields["timestamp"] !== "string") return undefined;
  const sign = createHmac("sha256", account.secret)
    .update(`${fields["timestamp"]}GET/users/self/verify`)
    .digest("base64");
  return sign === fields["sign"] ? account : undefined;
};
