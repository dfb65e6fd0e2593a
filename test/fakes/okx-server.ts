import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Operation } from "../../src/plan/model.ts";
import type { ProbeAccount } from "../../src/ports/watcher.ts";

/** What shall go wrong, where. All that is named must match. */
export type Fault = {
  readonly operation?: Operation;
  readonly instances?: readonly string[];
  readonly cohorts?: readonly string[];
  readonly who?: "users" | "probes";
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
  state: "live" | "canceled";
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
  let turn = 0;
  let seen = 0;
  let random = (options.seed ?? 1) >>> 0;
  const draw = (): number => {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    return random / 4_294_967_296;
  };

  const faultOf = (
    operation: Operation,
    instance: string,
    cohort: string,
    who: "users" | "probes",
  ): Fault | undefined =>
    faults.find(
      (fault) =>
        (fault.operation ?? operation) === operation &&
        (fault.instances ?? [instance]).includes(instance) &&
        (fault.cohorts ?? [cohort]).includes(cohort) &&
        (fault.who ?? who) === who &&
        draw() < (fault.share ?? 1),
    );
  const count = (instance: string, operation: Operation, code: string, http: number, cohort: string): void => {
    const labels = `operation="${operation}",code="${code}",http="${http}",cohort="${cohort}",protocol="rest"`;
    const own = counters.get(instance);
    own?.set(labels, (own.get(labels) ?? 0) + 1);
  };

  const answerTrade = (path: string, body: Readonly<Record<string, string>>, account: ProbeAccount): string => {
    const key = body["clOrdId"] ?? "";
    const order = orders.get(key);
    switch (path) {
      case "/api/v5/trade/order":
        if (order !== undefined) return "51016";
        orders.set(key, {
          clOrdId: key,
          ordId: String(700_000_000_000_000_000n + BigInt(orders.size)),
          apiKey: account.apiKey,
          tag: body["tag"] ?? "",
          px: body["px"] ?? "",
          state: "live",
        });
        return "0";
      case "/api/v5/trade/amend-order":
        if (order?.state !== "live") return "51503";
        order.px = body["newPx"] ?? order.px;
        return "0";
      default:
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
    const operation: Operation = path.endsWith("amend-order")
      ? "amend"
      : path.endsWith("cancel-order")
        ? "cancel"
        : "order";
    seen++;
    const fault = faultOf(operation, instance, account.cohort, "probes");
    if (fault?.how === "hang") return;
    const row = (code: string) => ({ clOrdId: fields["clOrdId"], ordId: "", sCode: code, sMsg: "" });
    if (typeof fault?.how === "object") {
      count(instance, operation, fault.how.code, fault.how.http, account.cohort);
      return send(fault.how.http, { code: "1", msg: "", data: [row(fault.how.code)] });
    }
    const code = fault?.how === "ignore" ? "0" : answerTrade(path, fields, account);
    count(instance, operation, code, 200, account.cohort);
    send(200, { code: code === "0" ? "0" : "1", msg: "", data: [row(code)] });
  };

  const setSwitch = (account: ProbeAccount, seconds: number, tag: string): void => {
    clearTimeout(switches.get(account.apiKey));
    if (seconds === 0) return void switches.delete(account.apiKey);
    const fire = (): void => {
      for (const order of orders.values())
        if (order.apiKey === account.apiKey && order.tag === tag) order.state = "canceled";
    };
    switches.set(account.apiKey, setTimeout(fire, seconds * 1000).unref());
  };

  const serve = async (
    instanceOf: () => string | undefined,
  ): Promise<{ readonly server: Server; readonly url: string }> => {
    const server = createServer((request, response) => void handle(request, response, instanceOf()));
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
  const users = setInterval(() => {
    owed += (options.usersPerSec ?? 0) / 50;
    for (; owed >= 1; owed--) {
      const able = exposed.filter((id) => alive.has(id));
      const instance = able[Math.floor(draw() * able.length)];
      if (instance === undefined) continue;
      const operation = (["order", "amend", "cancel"] as const)[Math.floor(draw() * 3)] ?? "order";
      const cohort = `shard-${Math.floor(draw() * 10)}`;
      const how = faultOf(operation, instance, cohort, "users")?.how;
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
    found?.server.closeAllConnections();
    found?.server.close();
  };

  return {
    url: front.url,
    urlOf: (id: string): string => alive.get(id)?.url ?? "",
    fault: (next: readonly Fault[]): void => void (faults = next),
    /** Who takes users and the public address's requests. */
    expose: (ids: readonly string[]): void => void (exposed = ids),
    restartCounters: (id: string): void => void counters.set(id, new Map()),
    metricsAs: (change: ((text: string) => string) | undefined): void => void (metricsAs = change),
    kill,
    openOrders: (): number => [...orders.values()].filter(({ state }) => state === "live").length,
    /** An order that somebody left behind. */
    leave: (account: ProbeAccount, clOrdId: string): void =>
      void orders.set(clOrdId, { clOrdId, ordId: "1", apiKey: account.apiKey, tag: "", px: "1", state: "live" }),
    /** Switches that are armed. */
    switches: (): number => switches.size,
    /** Order operations that arrived. */
    operations: (): number => seen,
    close(): void {
      clearInterval(users);
      for (const timer of switches.values()) clearTimeout(timer);
      for (const id of alive.keys()) kill(id);
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
