import { AuthenticationError, InvalidOrder, NetworkError, OrderNotFound, pro } from "ccxt";
import { RestClient, WebsocketAPIClient, WebsocketClient } from "okx-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountOf } from "../../src/demo/venue/accounts.ts";
import { KEY_SEED } from "../fakes/gateway.ts";
import { startVenue } from "../fakes/venue.ts";
import type { Venue } from "../fakes/venue.ts";

// Unmodified client libraries against balancer, gateway and engine.

let venue: Venue;

beforeAll(async () => {
  venue = await startVenue();
});
afterAll(() => venue.stop());

const rest = (): string => venue.rest;
const ws = (): string => venue.ws;

const idOf = (order: { readonly id?: string | undefined }): string => order.id ?? "";

const ccxtAs = (uid: string) => {
  const { apiKey, secret, passphrase } = accountOf(uid, "production", KEY_SEED);
  const client = new pro.okx({ apiKey, secret, password: passphrase, enableRateLimit: false });
  client.urls["api"] = { rest: rest(), ws: ws() };
  return client;
};

/** okx-api's own logger prints every connection. */
const quiet = { trace: () => {}, info: () => {}, error: () => {} };

describe("ccxt over REST", () => {
  test("loads the markets and reads time, ticker, book, balance and status", async () => {
    const okx = ccxtAs("1010");
    const markets = await okx.loadMarkets();
    expect(markets["BTC/USDT"]).toMatchObject({
      id: "BTC-USDT",
      active: true,
      precision: { price: 0.1, amount: 1e-8 },
    });
    expect(Math.abs(((await okx.fetchTime()) ?? 0) - Date.now())).toBeLessThan(5_000);
    expect((await okx.fetchTicker("BTC/USDT")).last).toBe(60_000);
    expect((await okx.fetchOrderBook("BTC/USDT", 10)).asks).toBeInstanceOf(Array);
    expect((await okx.fetchBalance())["USDT"]).toMatchObject({ total: 1_000_000 });
    expect(await okx.fetchStatus()).toMatchObject({ status: "ok" });
  });

  test("places, edits, finds, lists and cancels an order", async () => {
    const okx = ccxtAs("1010");
    const id = idOf(await okx.createOrder("BTC/USDT", "limit", "buy", 0.001, 45_000));
    await okx.editOrder(id, "BTC/USDT", "limit", "buy", 0.002, 45_001);
    expect(await okx.fetchOrder(id, "BTC/USDT")).toMatchObject({
      id,
      status: "open",
      price: 45_001,
      amount: 0.002,
      filled: 0,
    });
    expect((await okx.fetchOpenOrders("BTC/USDT")).map((order) => order.id)).toEqual([id]);
    await okx.cancelOrder(id, "BTC/USDT");
    expect((await okx.fetchOrder(id, "BTC/USDT")).status).toBe("canceled");
  });

  test("places and cancels several orders at once", async () => {
    const okx = ccxtAs("1010");
    const wanted = { symbol: "BTC/USDT", type: "limit", side: "buy", amount: 0.001, price: 45_000 } as const;
    const placed = await okx.createOrders([wanted, wanted]);
    expect(placed).toHaveLength(2);
    expect(await okx.cancelOrders(placed.map(idOf), "BTC/USDT")).toHaveLength(2);
    expect(await okx.fetchOpenOrders("BTC/USDT")).toEqual([]);
  });

  test("raises the errors that belong to the codes", async () => {
    const okx = ccxtAs("1010");
    await expect(okx.cancelOrder("1", "BTC/USDT")).rejects.toThrow(OrderNotFound);
    await expect(okx.createOrder("BTC/USDT", "limit", "buy", 0.001, 99_000)).rejects.toThrow(InvalidOrder);
    const stranger = ccxtAs("1010");
    stranger.secret = "wrong";
    await expect(stranger.fetchBalance()).rejects.toThrow(AuthenticationError);
  });
});

const withSocket = async (uid: string, work: (okx: ReturnType<typeof ccxtAs>) => Promise<void>): Promise<void> => {
  const okx = ccxtAs(uid);
  // Without this step ccxt cannot dial plain ws:// addresses.
  await okx.loadHttpProxyAgent();
  await okx.loadMarkets();
  try {
    await work(okx);
  } finally {
    await okx.close();
  }
};

describe("ccxt.pro over WebSocket", () => {
  test("watches its orders", () =>
    withSocket("1011", async (okx) => {
      const watching = okx.watchOrders("BTC/USDT");
      await expect.poll(() => Object.keys(okx.clients).length).toBe(1);
      const id = idOf(await okx.createOrderWs("BTC/USDT", "limit", "buy", 0.001, 45_000));
      expect((await watching)[0]).toMatchObject({ id, status: "open" });
      const next = okx.watchOrders("BTC/USDT");
      await okx.cancelOrderWs(id, "BTC/USDT");
      expect((await next).find((order) => order.id === id)).toMatchObject({ status: "canceled" });
    }));

  test("places, edits and cancels over the socket, and raises the error of the row", () =>
    withSocket("1012", async (okx) => {
      const id = idOf(await okx.createOrderWs("BTC/USDT", "limit", "buy", 0.001, 45_000));
      await okx.editOrderWs(id, "BTC/USDT", "limit", "buy", 0.003, 45_002);
      expect(await okx.fetchOrder(id, "BTC/USDT")).toMatchObject({ price: 45_002, amount: 0.003 });
      await okx.cancelOrderWs(id, "BTC/USDT");
      await expect(okx.cancelOrderWs(id, "BTC/USDT")).rejects.toThrow(OrderNotFound);
    }));

  test("watches ticker, book and balance", () =>
    withSocket("1013", async (okx) => {
      expect((await okx.watchTicker("ETH/USDT")).symbol).toBe("ETH/USDT");
      await okx.watchOrderBook("ETH/USDT");
      const changed = okx.watchOrderBook("ETH/USDT");
      const id = idOf(await okx.createOrder("ETH/USDT", "limit", "buy", 1, 2_000));
      expect((await changed).bids[0]?.slice(0, 2)).toEqual([2_000, 1]);
      await okx.cancelOrder(id, "ETH/USDT");
      expect((await okx.watchBalance())["USDT"]).toMatchObject({ total: 1_000_000 });
    }));
});

const keysOf = (uid: string) => {
  const { apiKey, secret, passphrase } = accountOf(uid, "production", KEY_SEED);
  return { apiKey, apiSecret: secret, apiPass: passphrase };
};

describe("okx-api", () => {
  const order = {
    instId: "BTC-USDT",
    tdMode: "cash",
    side: "buy",
    ordType: "post_only",
    px: "45000",
    sz: "0.001",
  } as const;

  test("places, amends, queries and cancels over REST, one by one and in batches", async () => {
    const client = new RestClient({ ...keysOf("1020"), baseUrl: rest() });
    const ordId = (await client.submitOrder(order))[0]?.ordId ?? "";
    await client.amendOrder({ instId: "BTC-USDT", ordId, newPx: "45001" });
    expect((await client.getOrderDetails({ instId: "BTC-USDT", ordId }))[0]).toMatchObject({
      px: "45001",
      state: "live",
    });
    expect(await client.getOrderList({ instType: "SPOT" })).toHaveLength(1);
    await client.cancelOrder({ instId: "BTC-USDT", ordId });
    const several = await client.submitMultipleOrders([order, order]);
    await client.cancelMultipleOrders(several.map((row) => ({ instId: "BTC-USDT", ordId: row.ordId })));
    expect(await client.getOrderList({ instType: "SPOT" })).toEqual([]);
    expect(await client.getSystemStatus({})).toEqual([]);
    await expect(client.cancelOrder({ instId: "BTC-USDT", ordId })).rejects.toMatchObject({
      code: "1",
      data: [{ sCode: "51400" }],
    });
  });

  test("subscribes to its orders and to public channels, and hears of both", async () => {
    const client = new WebsocketClient({ accounts: [keysOf("1021")], wsUrl: `${ws()}/private` }, quiet);
    const updates: any[] = [];
    client.on("update", (update) => void updates.push(update));
    client.on("exception", () => {});
    const subscribed = new Set<string>();
    client.on(
      "response",
      (response: any) => void (response.event === "subscribe" && subscribed.add(response.arg.channel)),
    );
    try {
      void client.subscribe([
        { channel: "orders", instType: "ANY" },
        { channel: "status" },
        { channel: "tickers", instId: "BTC-USDT" },
      ]);
      await expect.poll(() => [...subscribed].toSorted(), { timeout: 10_000 }).toEqual(["orders", "status", "tickers"]);
      const rows = await new RestClient({ ...keysOf("1021"), baseUrl: rest() }).submitOrder(order);
      await expect
        .poll(() => updates.some(({ arg, data }) => arg.channel === "orders" && data[0].ordId === rows[0]?.ordId), {
          timeout: 5_000,
        })
        .toBe(true);
    } finally {
      client.closeAll(true);
    }
  });

  test("places, amends and cancels over the socket", async () => {
    const client = new WebsocketAPIClient(
      { accounts: [keysOf("1022")], attachEventListeners: false, wsUrl: `${ws()}/private` },
      quiet,
    );
    try {
      const placed = await client.submitNewOrder({ ...order, instIdCode: 3 });
      const ordId = placed.data[0]?.ordId ?? "";
      expect(placed).toMatchObject({ code: "0", data: [{ sCode: "0" }] });
      await client.amendOrder({ instId: "BTC-USDT", instIdCode: 3, ordId, newPx: "45002" });
      expect(await client.cancelOrder({ instId: "BTC-USDT", instIdCode: 3, ordId })).toMatchObject({ code: "0" });
    } finally {
      client.getWSClient().closeAll(true);
    }
  });
});

describe("demo trading", () => {
  test("ccxt in sandbox mode trades with a demo key, over REST and WebSocket", async () => {
    const demo = await startVenue({ env: "demo" });
    const { apiKey, secret, passphrase } = accountOf("1040", "demo", KEY_SEED);
    const okx = new pro.okx({ apiKey, secret, password: passphrase, enableRateLimit: false });
    okx.urls["test"] = { rest: demo.rest, ws: demo.ws };
    okx.setSandboxMode(true);
    try {
      await okx.loadHttpProxyAgent();
      const id = idOf(await okx.createOrder("BTC/USDT", "limit", "buy", 0.001, 45_000));
      await okx.cancelOrderWs(id, "BTC/USDT");
      expect((await okx.fetchOrder(id, "BTC/USDT")).status).toBe("canceled");
    } finally {
      await okx.close();
      await demo.stop();
    }
  });
});

const drainFirst = async (two: Venue): Promise<void> => {
  await two.weigh(0, 0);
  two.gateways[0]?.drain.start(300);
};

describe("a gateway that says goodbye", () => {
  test("okx-api moves to another gateway by itself, logs in and subscribes again", async () => {
    const two = await startVenue({ gateways: 2 });
    await two.weigh(1, 0);
    const keys = keysOf("1050");
    const client = new WebsocketClient({ accounts: [keys], wsUrl: `${two.ws}/private`, reconnectTimeout: 100 }, quiet);
    const pushed = new Set<unknown>();
    client.on("update", (update: any) => void pushed.add(update.arg?.channel === "orders" && update.data[0].clOrdId));
    client.on("exception", () => {});
    try {
      void client.subscribe({ channel: "orders", instType: "ANY" });
      const api = new RestClient({ ...keys, baseUrl: two.rest });
      let count = 0;
      // A new order each time: what was placed before the subscription is never pushed.
      const hearsOf = async (when: string): Promise<boolean> => {
        count += 1;
        const clOrdId = `${when}${count}`;
        await api
          .submitOrder({
            instId: "BTC-USDT",
            tdMode: "cash",
            side: "buy",
            ordType: "limit",
            px: "45000",
            sz: "0.001",
            clOrdId,
          })
          .catch(() => {});
        return [...pushed].some((id) => String(id).startsWith(when));
      };
      await expect.poll(() => hearsOf("before"), { timeout: 5_000 }).toBe(true);
      await two.weigh(1, 100);
      await drainFirst(two);
      await expect.poll(() => hearsOf("after"), { timeout: 10_000, interval: 100 }).toBe(true);
    } finally {
      client.closeAll(true);
      await two.stop();
    }
  });

  test("ccxt.pro rejects its watch, and the next one and REST go to another gateway", async () => {
    const two = await startVenue({ gateways: 2 });
    await two.weigh(1, 0);
    const { apiKey, secret, passphrase } = accountOf("1051", "production", KEY_SEED);
    const okx = new pro.okx({ apiKey, secret, password: passphrase, enableRateLimit: false });
    okx.urls["api"] = { rest: two.rest, ws: two.ws };
    try {
      await okx.loadHttpProxyAgent();
      const watching = okx.watchOrders("BTC/USDT").then(
        () => undefined,
        (error: unknown) => error,
      );
      await expect.poll(() => Object.keys(okx.clients).length, { timeout: 5_000 }).toBe(1);
      await okx.fetchBalance();
      await two.weigh(1, 100);
      await drainFirst(two);
      expect(await watching).toBeInstanceOf(NetworkError);
      await expect.poll(() => two.gateways[0]?.drain.state()).toBe("closed");
      await okx.createOrder("BTC/USDT", "limit", "buy", 0.001, 45_000);
      await expect
        .poll(() => okx.createOrderWs("BTC/USDT", "limit", "buy", 0.001, 45_000).then(idOf, () => ""), {
          timeout: 10_000,
        })
        .not.toBe("");
      expect((await okx.fetchOpenOrders("BTC/USDT")).length).toBeGreaterThanOrEqual(2);
    } finally {
      await okx.close();
      await two.stop();
    }
  });
});
