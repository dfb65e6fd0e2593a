import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accountOf } from "../../src/demo/venue/accounts.ts";
import { ALICE, call, FAR_BUY, gatewayOnFakes, KEY_SEED } from "../fakes/gateway.ts";
import type { GatewayOnFakes } from "../fakes/gateway.ts";
import { connectSocket, loggedIn, loginOf } from "../fakes/socket-client.ts";
import type { Message } from "../fakes/socket-client.ts";

let gateway: GatewayOnFakes;
beforeEach(async () => {
  gateway = await gatewayOnFakes();
});
afterEach(async () => {
  gateway.engine.behave("well");
  await gateway.stop(0);
});

const reply = (id: string) => (message: Message) => message["id"] === id;
const event = (name: string) => (message: Message) => message["event"] === name;
const pushOn = (channel: string) => (message: Message) =>
  "data" in message && (message["arg"] as Message | undefined)?.["channel"] === channel;
const { instId: _instId, ...UNNAMED } = FAR_BUY;

describe("connecting", () => {
  test("ping is answered with pong, as text", async () => {
    const client = await connectSocket(gateway.origin, "/ws/v5/public?brokerId=9999");
    client.send("ping");
    expect(await client.heard((message) => message["text"] === "pong")).toBeDefined();
  });

  test("a login tells which gateway it reached, and may be repeated", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    expect(client.messages[0]).toMatchObject({
      event: "login",
      code: "0",
      release: "2.0",
      instance: "tokyo-1",
      region: "tokyo",
    });
    client.send(loginOf(ALICE));
    client.send("ping");
    await client.heard((message) => message["text"] === "pong");
    expect(client.messages.filter(event("login"))).toHaveLength(2);
  });

  test.each([
    { name: "a wrong secret", login: loginOf({ ...ALICE, secret: "wrong" }) },
    { name: "an old timestamp", login: loginOf(ALICE, Date.now() - 31_000) },
    { name: "no arguments", login: { op: "login" } },
  ])("a login with $name is refused with 60009", async ({ login }) => {
    const client = await connectSocket(gateway.origin);
    client.send(login);
    expect(await client.heard(event("error"))).toMatchObject({ code: "60009" });
  });

  test("an unknown path is refused", async () => {
    await expect(connectSocket(gateway.origin, "/ws/v6/private")).rejects.toThrow("404");
  });

  test.each([
    { name: "an unknown channel", request: { op: "subscribe", args: [{ channel: "weather" }] }, code: "60018" },
    {
      name: "a private channel without login",
      request: { op: "subscribe", args: [{ channel: "orders", instType: "ANY" }] },
      code: "60011",
    },
    { name: "an unknown op", request: { op: "dance" }, code: "60012" },
    { name: "rubbish", request: "{", code: "60012" },
  ])("$name is answered with $code", async ({ request, code }) => {
    const client = await connectSocket(gateway.origin);
    client.send(request);
    expect(await client.heard(event("error"))).toMatchObject({ code });
  });
});

describe("order operations", () => {
  test("an order named by instIdCode is placed, amended and cancelled", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    client.send({ id: "1", op: "order", args: [{ ...UNNAMED, instIdCode: 3, clOrdId: "w1" }] });
    const placed = await client.heard(reply("1"));
    expect(placed).toMatchObject({ op: "order", code: "0", msg: "", data: [{ clOrdId: "w1", sCode: "0" }] });
    client.send({ id: "2", op: "amend-order", args: [{ instIdCode: 3, clOrdId: "w1", newSz: "0.002" }] });
    expect(await client.heard(reply("2"))).toMatchObject({ code: "0", data: [{ sCode: "0" }] });
    client.send({ id: "3", op: "cancel-order", args: [{ instId: "BTC-USDT", clOrdId: "w1" }] });
    expect(await client.heard(reply("3"))).toMatchObject({ code: "0" });
    expect([...gateway.engine.orders.values()]).toMatchObject([{ sz: "0.002", state: "canceled" }]);
  });

  test("a failed operation keeps the envelope's msg empty, so that clients read the row", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    client.send({ id: "1", op: "cancel-order", args: [{ instId: "BTC-USDT", ordId: "1" }] });
    expect(await client.heard(reply("1"))).toMatchObject({ code: "1", msg: "", data: [{ sCode: "51400" }] });
  });

  test("batches answer row by row", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    client.send({ id: "1", op: "batch-orders", args: [FAR_BUY, { ...FAR_BUY, px: "1" }] });
    expect(await client.heard(reply("1"))).toMatchObject({
      code: "2",
      msg: "",
      data: [{ sCode: "0" }, { sCode: "51138" }],
    });
    client.send({
      id: "2",
      op: "batch-cancel-orders",
      args: [
        { instId: "BTC-USDT", ordId: "7" },
        { instId: "BTC-USDT", ordId: "8" },
      ],
    });
    expect(await client.heard(reply("2"))).toMatchObject({ code: "1", data: [{ sCode: "51400" }, { sCode: "51400" }] });
  });

  test.each([
    { name: "before login", login: false, args: [FAR_BUY], code: "60011" },
    { name: "without arguments", login: true, args: [], code: "60013" },
  ])("an order $name is answered with $code and no rows", async ({ login, args, code }) => {
    const client = login ? await loggedIn(gateway.origin, ALICE) : await connectSocket(gateway.origin);
    client.send({ id: "1", op: "order", args });
    expect(await client.heard(reply("1"))).toMatchObject({ code, data: [] });
    expect(gateway.engine.orders.size).toBe(0);
  });

  test("REST and WebSocket share one limit", async () => {
    await Promise.all(Array.from({ length: 59 }, () => call(gateway.origin, "POST", "/api/v5/trade/order", FAR_BUY)));
    const client = await loggedIn(gateway.origin, ALICE);
    client.send({ id: "60", op: "order", args: [{ ...UNNAMED, instIdCode: 3 }] });
    expect(await client.heard(reply("60"))).toMatchObject({ code: "0" });
    client.send({ id: "61", op: "order", args: [{ ...UNNAMED, instIdCode: 3 }] });
    expect(await client.heard(reply("61"))).toMatchObject({ code: "50011", data: [] });
  });
});

describe("channels", () => {
  test("the orders channel tells each change of the user's own orders, wherever it was made", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    client.send({ id: "s", op: "subscribe", args: [{ channel: "orders", instType: "ANY" }] });
    await client.heard(event("channel-conn-count"));
    const { body } = await call(gateway.origin, "POST", "/api/v5/trade/order", { ...FAR_BUY, clOrdId: "seen" });
    const push = await client.heard(pushOn("orders"));
    expect(push).toMatchObject({
      arg: { channel: "orders", instType: "ANY", uid: "1003" },
      data: [{ ordId: body.data[0]?.ordId, state: "live", clOrdId: "seen", fillSz: "0" }],
    });
    await call(gateway.origin, "POST", "/api/v5/trade/amend-order", {
      instId: "BTC-USDT",
      clOrdId: "seen",
      newPx: "44000",
      reqId: "r9",
    });
    await client.heard((message) => pushOn("orders")(message) && (message["data"] as Message[])[0]?.["reqId"] === "r9");
  });

  test("nobody hears of another user's orders, of other instruments, or of anything after unsubscribing", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    const sentinel = (message: Message): boolean =>
      pushOn("orders")(message) && (message["data"] as Message[])[0]?.["clOrdId"] === "mine";
    client.send({ op: "subscribe", args: [{ channel: "orders", instType: "SPOT", instId: "BTC-USDT" }] });
    await client.heard(event("channel-conn-count"));
    const bob = accountOf("1004", "production", KEY_SEED);
    await call(gateway.origin, "POST", "/api/v5/trade/order", FAR_BUY, bob);
    await call(gateway.origin, "POST", "/api/v5/trade/order", { ...FAR_BUY, instId: "ETH-USDT" });
    await call(gateway.origin, "POST", "/api/v5/trade/order", { ...FAR_BUY, clOrdId: "mine" });
    await client.heard(sentinel);
    expect(client.messages.filter(pushOn("orders"))).toHaveLength(1);
    client.send({ op: "unsubscribe", args: [{ channel: "orders", instType: "SPOT", instId: "BTC-USDT" }] });
    await client.heard(event("unsubscribe"));
    await call(gateway.origin, "POST", "/api/v5/trade/cancel-order", { instId: "BTC-USDT", clOrdId: "mine" });
    client.send("ping");
    await client.heard((message) => message["text"] === "pong");
    expect(client.messages.filter(pushOn("orders"))).toHaveLength(1);
  });

  test("a book comes as a snapshot and then as changes whose numbers join", async () => {
    const client = await connectSocket(gateway.origin, "/ws/v5/public");
    client.send({
      op: "subscribe",
      args: [
        { channel: "books", instId: "BTC-USDT" },
        { channel: "tickers", instId: "BTC-USDT" },
      ],
    });
    const snapshot = await client.heard((message) => message["action"] === "snapshot");
    await call(gateway.origin, "POST", "/api/v5/trade/order", FAR_BUY);
    const update = await client.heard((message) => message["action"] === "update");
    const [before, after] = [(snapshot["data"] as Message[])[0], (update["data"] as Message[])[0]];
    expect(before).toMatchObject({ prevSeqId: -1, asks: [], bids: [] });
    expect(after).toMatchObject({ prevSeqId: before?.["seqId"], bids: [["45000", "0.001", "0", "1"]] });
    await client.heard(
      (message) => pushOn("tickers")(message) && (message["data"] as Message[])[0]?.["bidPx"] === "45000",
    );
  });

  test("trades and balances are pushed", async () => {
    const client = await loggedIn(gateway.origin, ALICE);
    client.send({
      op: "subscribe",
      args: [{ channel: "trades", instId: "BTC-USDT" }, { channel: "account" }, { channel: "status" }],
    });
    await client.heard((message) => event("subscribe")(message) && (message["arg"] as Message)["channel"] === "status");
    gateway.engine.emit({
      event: "trade",
      instId: "BTC-USDT",
      px: "60001",
      sz: "0.1",
      side: "buy",
      tradeId: "7",
      ts: 1,
    });
    expect(await client.heard(pushOn("trades"))).toMatchObject({ data: [{ px: "60001", tradeId: "7" }] });
    expect(await client.heard(pushOn("account"))).toMatchObject({
      data: [{ details: [{ ccy: "USDT", cashBal: "1000000" }] }],
    });
  });
});
