import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { accountOf } from "../../src/demo/venue/accounts.ts";
import { ALICE, call, FAR_BUY, gatewayOnFakes, KEY_SEED } from "../fakes/gateway.ts";
import type { GatewayOnFakes } from "../fakes/gateway.ts";

let gateway: GatewayOnFakes;
beforeEach(async () => {
  gateway = await gatewayOnFakes();
});
afterEach(async () => {
  gateway.engine.behave("well");
  await gateway.stop(0);
});

const post = (path: string, body: unknown, account = ALICE, extra: Record<string, string> = {}) =>
  call(gateway.origin, "POST", `/api/v5/${path}`, body, account, extra);
const get = (target: string, account = ALICE) => call(gateway.origin, "GET", `/api/v5/${target}`, undefined, account);
const metrics = async (): Promise<string> => (await fetch(`${gateway.origin}/-/metrics`)).text();

describe("order entry", () => {
  test("an order is placed, amended, queried and cancelled", async () => {
    const placed = await post("trade/order", { ...FAR_BUY, clOrdId: "a1" });
    expect(placed).toMatchObject({
      http: 200,
      body: { code: "0", msg: "", data: [{ clOrdId: "a1", sCode: "0", sMsg: "" }] },
    });
    expect(Number(placed.body.outTime)).toBeGreaterThanOrEqual(Number(placed.body.inTime));
    const ordId = placed.body.data[0]?.ordId;
    const amended = await post("trade/amend-order", { instId: "BTC-USDT", ordId, newPx: "45000.5", reqId: "r1" });
    expect(amended.body).toMatchObject({ code: "0", data: [{ ordId, sCode: "0", reqId: "r1" }] });
    expect((await get(`trade/order?instId=BTC-USDT&ordId=${ordId}`)).body.data[0]).toMatchObject({
      px: "45000.5",
      state: "live",
      ordId,
    });
    expect((await get("trade/orders-pending?instType=SPOT")).body.data).toHaveLength(1);
    expect((await post("trade/cancel-order", { instId: "BTC-USDT", clOrdId: "a1" })).body).toMatchObject({
      code: "0",
      data: [{ ordId, sCode: "0" }],
    });
    expect((await get(`trade/order?instId=BTC-USDT&clOrdId=a1`)).body.data[0]).toMatchObject({
      state: "canceled",
      cancelSource: "1",
    });
    expect((await get("trade/orders-pending")).body.data).toHaveLength(0);
  });

  test("the response says which release, instance and region answered", async () => {
    const { headers } = await post("trade/order", FAR_BUY);
    expect(["release", "instance", "region"].map((name) => headers.get(`x-venue-${name}`))).toEqual([
      "2.0",
      "tokyo-1",
      "tokyo",
    ]);
  });

  test("the same client order id is refused while the first order rests", async () => {
    await post("trade/order", { ...FAR_BUY, clOrdId: "twice" });
    expect(await post("trade/order", { ...FAR_BUY, clOrdId: "twice" })).toMatchObject({
      http: 200,
      body: { code: "1", data: [{ sCode: "51016", ordId: "" }] },
    });
  });

  test("a batch succeeds in part, and each row tells its own result", async () => {
    const { http, body } = await post("trade/batch-orders", [FAR_BUY, { ...FAR_BUY, instId: "NO-SUCH" }]);
    expect(http).toBe(200);
    expect(body).toMatchObject({ code: "2", data: [{ sCode: "0" }, { sCode: "51001" }] });
  });

  test.each([
    { name: "unknown instrument", change: { instId: "NO-SUCH" }, sCode: "51001" },
    { name: "price off the tick", change: { px: "45000.05" }, sCode: "51000" },
    { name: "no price", change: { px: "" }, sCode: "51000" },
    { name: "size off the lot", change: { sz: "0.000000001" }, sCode: "51020" },
    { name: "negative size", change: { sz: "-1" }, sCode: "51000" },
    { name: "size above the limit", change: { sz: "1000001" }, sCode: "51203" },
    { name: "client order id with a dash", change: { clOrdId: "a-b" }, sCode: "51000" },
    { name: "unknown side", change: { side: "hold" }, sCode: "51000" },
    { name: "price above the band", change: { px: "90000.1" }, sCode: "51137" },
    { name: "price below the band", change: { px: "29999.9" }, sCode: "51138" },
    { name: "price at the edge of the band", change: { px: "30000" }, sCode: "0" },
  ])("an order with $name gets $sCode in its row", async ({ change, sCode }) => {
    expect((await post("trade/order", { ...FAR_BUY, ...change })).body.data[0]).toMatchObject({ sCode });
  });

  test("an amend to a price outside the band is refused and changes nothing", async () => {
    const ordId = (await post("trade/order", FAR_BUY)).body.data[0]?.ordId ?? "";
    expect((await post("trade/amend-order", { instId: "BTC-USDT", ordId, newPx: "100" })).body.data[0]).toMatchObject({
      sCode: "51138",
    });
    expect(gateway.engine.orders.get(ordId)?.px).toBe("45000");
  });

  test("a market order sized in the quote currency buys that much", async () => {
    await post("trade/order", { instId: "BTC-USDT", tdMode: "cash", side: "buy", ordType: "market", sz: "600" });
    expect([...gateway.engine.orders.values()][0]).toMatchObject({ sz: "0.01", px: "" });
  });

  test("an order past its expTime is not sent to the engine", async () => {
    const late = await post("trade/order", FAR_BUY, ALICE, { expTime: String(Date.now() - 1) });
    expect(late.body.data[0]).toMatchObject({ sCode: "50036" });
    expect(gateway.engine.orders.size).toBe(0);
  });

  test("the sixty-first order of two seconds is refused with 429 and reaches nobody", async () => {
    const sixty = Array.from({ length: 60 }, () => post("trade/order", { ...FAR_BUY, instId: "BTC-USDT" }));
    for (const { body } of await Promise.all(sixty)) expect(body.code).toBe("0");
    expect(await post("trade/order", FAR_BUY)).toMatchObject({ http: 429, body: { code: "50011", data: [] } });
    expect(gateway.engine.orders.size).toBe(60);
    expect((await post("trade/order", { ...FAR_BUY, instId: "ETH-USDT" })).body.code).toBe("0");
    expect((await post("trade/cancel-order", { instId: "BTC-USDT", ordId: "1" })).body.data[0]?.sCode).toBe("51400");
  });
});

describe("what the venue says when it cannot", () => {
  test("an engine that cannot be reached: 50001 with 503, for certain not processed", async () => {
    gateway.engine.behave("gone");
    expect(await post("trade/order", FAR_BUY)).toMatchObject({ http: 503, body: { code: "50001", data: [] } });
  });

  test("an engine that is not the active one: 50001, too", async () => {
    gateway.engine.behave("passive");
    expect(await post("trade/cancel-order", { instId: "BTC-USDT", ordId: "1" })).toMatchObject({
      http: 503,
      body: { code: "50001", data: [] },
    });
  });

  test("an engine that took the order and does not answer: 51149 with 500, outcome unknown", async () => {
    gateway.engine.behave("silent");
    expect(await post("trade/order", { ...FAR_BUY, clOrdId: "q" })).toMatchObject({
      http: 500,
      body: { code: "1", data: [{ sCode: "51149", clOrdId: "q" }] },
    });
  });

  test("an account whose route is gone gets 50026 with 500 on place, amend and cancel; others are served", async () => {
    gateway.metadata.lose(ALICE.uid);
    const named = { instId: "BTC-USDT", ordId: "1", newPx: "45000" };
    for (const [path, body] of [
      ["order", FAR_BUY],
      ["amend-order", named],
      ["cancel-order", named],
    ] as const) {
      expect(await post(`trade/${path}`, body)).toMatchObject({
        http: 500,
        body: { code: "1", data: [{ sCode: "50026" }] },
      });
    }
    expect((await post("trade/order", FAR_BUY, accountOf("1004", "production", KEY_SEED))).body.code).toBe("0");
  });

  test("a metadata store that is down: 50001 with 503, and not ready", async () => {
    gateway.metadata.behave("down");
    expect(await post("trade/order", FAR_BUY)).toMatchObject({ http: 503, body: { code: "50001" } });
    expect((await fetch(`${gateway.origin}/-/ready`)).status).toBe(503);
  });

  test.each([
    { name: "an unknown path", method: "GET", path: "nothing", body: undefined, http: 404, code: "404" },
    { name: "no body", method: "POST", path: "trade/order", body: undefined, http: 400, code: "50000" },
    {
      name: "a list where an order belongs",
      method: "POST",
      path: "trade/order",
      body: [FAR_BUY],
      http: 400,
      code: "50000",
    },
    {
      name: "a batch of 21",
      method: "POST",
      path: "trade/batch-orders",
      body: Array.from({ length: 21 }, () => FAR_BUY),
      http: 400,
      code: "51000",
    },
    {
      name: "a query without an order",
      method: "GET",
      path: "trade/order?instId=BTC-USDT",
      body: undefined,
      http: 400,
      code: "50015",
    },
  ] as const)("$name is refused with $code", async ({ method, path, body, http, code }) => {
    expect(await call(gateway.origin, method, `/api/v5/${path}`, body)).toMatchObject({ http, body: { code } });
  });

  test("a query while the engine is away is 50001", async () => {
    gateway.engine.behave("gone");
    expect(await get("trade/order?instId=BTC-USDT&ordId=1")).toMatchObject({ http: 503, body: { code: "50001" } });
  });
});

describe("public and account data", () => {
  test("time, instruments, ticker, book, status and balance answer in the venue's shapes", async () => {
    await post("trade/order", FAR_BUY);
    expect(Math.abs(Number((await get("public/time")).body.data[0]?.ts) - Date.now())).toBeLessThan(5_000);
    expect((await get("public/instruments?instType=SPOT")).body.data).toMatchObject([
      { instId: "BTC-USDT", instIdCode: 3, lotSz: "0.00000001", state: "live" },
      {},
      {},
    ]);
    expect((await get("public/instruments?instType=SWAP")).body).toMatchObject({ code: "0", data: [] });
    expect((await get("market/ticker?instId=BTC-USDT")).body.data[0]).toMatchObject({
      last: "60000",
      bidPx: "45000",
      askPx: "",
    });
    expect((await get("market/books?instId=BTC-USDT")).body.data[0]).toMatchObject({
      bids: [["45000", "0.001", "0", "1"]],
      asks: [],
    });
    expect((await get("system/status")).body).toMatchObject({ code: "0", data: [] });
    expect((await get("account/balance?ccy=USDT")).body.data[0]).toMatchObject({
      details: [{ ccy: "USDT", availBal: "1000000" }],
    });
  });

  test("leverage that a user sets is what the user reads", async () => {
    expect(
      (await post("account/set-leverage", { instId: "BTC-USDT", lever: "5", mgnMode: "cross" })).body,
    ).toMatchObject({ code: "0", data: [{ lever: "5" }] });
    expect((await get("account/leverage-info?instId=BTC-USDT&mgnMode=cross")).body.data[0]).toMatchObject({
      lever: "5",
      mgnMode: "cross",
    });
    expect((await post("account/set-leverage", { lever: "500", mgnMode: "cross" })).body.code).toBe("51000");
  });

  test("the dead-man switch takes 0 and 10 to 120 seconds", async () => {
    expect((await post("trade/cancel-all-after", { timeOut: "30" })).body).toMatchObject({
      code: "0",
      data: [{ triggerTime: expect.any(String) }],
    });
    expect((await post("trade/cancel-all-after", { timeOut: "5" })).body.code).toBe("51000");
  });
});

describe("metrics", () => {
  test("every row counts once, with its code, cohort and protocol", async () => {
    await post("trade/batch-orders", [FAR_BUY, { ...FAR_BUY, instId: "NO-SUCH" }, FAR_BUY]);
    await call(gateway.origin, "POST", "/api/v5/trade/cancel-order", { instId: "BTC-USDT", ordId: "9" });
    const text = await metrics();
    expect(text).toContain(
      'venue_operations_total{operation="order",code="0",http="200",cohort="shard-3",protocol="rest"} 2',
    );
    expect(text).toContain(
      'venue_operations_total{operation="order",code="51001",http="200",cohort="shard-3",protocol="rest"} 1',
    );
    expect(text).toContain(
      'venue_operations_total{operation="cancel",code="51400",http="200",cohort="shard-3",protocol="rest"} 1',
    );
    expect(text).toContain('venue_operation_seconds_bucket{operation="order",le="+Inf"} 3');
    expect(text).toContain('venue_release_info{release="2.0",instance="tokyo-1",region="tokyo"} 1');
  });

  test("an order that was turned away at the door counts as one, too", async () => {
    await call(gateway.origin, "POST", "/api/v5/trade/order", FAR_BUY, { ...ALICE, secret: "wrong" });
    expect(await metrics()).toContain(
      'venue_operations_total{operation="order",code="50113",http="401",cohort="shard-3",protocol="rest"} 1',
    );
  });
});

describe("the demo environment", () => {
  let demo: GatewayOnFakes;
  beforeAll(async () => {
    demo = await gatewayOnFakes(undefined, { env: "demo" });
  });
  afterAll(() => demo.stop(0));

  test("takes demo keys with the demo header, and refuses production keys with 50101", async () => {
    const demoAlice = accountOf("1003", "demo", KEY_SEED);
    const header = { "x-simulated-trading": "1" };
    expect((await call(demo.origin, "POST", "/api/v5/trade/order", FAR_BUY, demoAlice, header)).body.code).toBe("0");
    expect(await call(demo.origin, "POST", "/api/v5/trade/order", FAR_BUY, demoAlice)).toMatchObject({
      http: 401,
      body: { code: "50101" },
    });
    expect(await call(demo.origin, "POST", "/api/v5/trade/order", FAR_BUY, ALICE, header)).toMatchObject({
      http: 401,
      body: { code: "50101" },
    });
  });
});
