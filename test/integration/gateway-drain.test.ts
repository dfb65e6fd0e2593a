import { afterEach, beforeEach, expect, test } from "vitest";
import { ALICE, call, FAR_BUY, gatewayOnFakes } from "../fakes/gateway.ts";
import type { GatewayOnFakes } from "../fakes/gateway.ts";
import { connectSocket, loggedIn } from "../fakes/socket-client.ts";
import type { Message } from "../fakes/socket-client.ts";

let gateway: GatewayOnFakes;
beforeEach(async () => {
  gateway = await gatewayOnFakes();
});
afterEach(() => gateway.stop(0));

const place = () => call(gateway.origin, "POST", "/api/v5/trade/order", FAR_BUY);
const operate = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
  const response = await fetch(`${gateway.origin}/-/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, ...((await response.json()) as object) };
};
const isNotice = (message: Message): boolean => message["event"] === "notice" && message["code"] === "64008";

test("during the notice everything is still served, every answer asks to reconnect, and sockets are told", async () => {
  const client = await loggedIn(gateway.origin, ALICE);
  expect((await place()).headers.get("connection")).toBe("keep-alive");
  expect(await operate("GET", "ready")).toMatchObject({
    status: 200,
    ready: true,
    release: "2.0",
    instance: "tokyo-1",
  });
  await operate("POST", "drain", { noticeMs: 60_000 });
  const during = await place();
  expect([during.body.code, during.headers.get("connection")]).toEqual(["0", "close"]);
  expect(await operate("GET", "ready")).toMatchObject({ status: 503 });
  client.send({ id: "1", op: "order", args: [FAR_BUY] });
  expect(await client.heard((message) => message["id"] === "1")).toMatchObject({ code: "0" });
  expect(await operate("GET", "drained")).toMatchObject({ inflight: 0, sockets: 1 });
  await operate("POST", "undrain");
});

test("the notice reaches a socket in the first half of the time", async () => {
  const client = await connectSocket(gateway.origin, "/ws/v5/public");
  await operate("POST", "drain", { noticeMs: 400 });
  await client.heard(isNotice);
  expect(gateway.drain.state()).toBe("draining");
  expect(await client.closed).toBe(1012);
  expect(client.messages.filter(isNotice)).toHaveLength(1);
});

test("after the notice, nothing is accepted and nothing of it reaches the engine", async () => {
  await operate("POST", "drain", { noticeMs: 0 });
  await expect.poll(() => gateway.drain.state()).toBe("closed");
  expect(await place()).toMatchObject({ http: 503, body: { code: "50001", data: [] } });
  await expect(connectSocket(gateway.origin)).rejects.toThrow("503");
  expect(gateway.engine.orders.size).toBe(0);
  expect(await (await fetch(`${gateway.origin}/-/metrics`)).text()).toContain(
    'operation="order",code="50001",http="503",cohort="shard-3"',
  );
});

test("what is in flight when the notice ends is finished, and only then its socket closes with 1012", async () => {
  const client = await loggedIn(gateway.origin, ALICE);
  await place();
  const letGo = gateway.engine.hold();
  const resting = place();
  client.send({ id: "1", op: "order", args: [FAR_BUY] });
  await expect.poll(() => gateway.drain.inflight()).toBe(2);
  await operate("POST", "drain", { noticeMs: 0 });
  await expect.poll(() => gateway.drain.state()).toBe("closed");
  client.send({ id: "2", op: "order", args: [FAR_BUY] });
  expect(await client.heard((message) => message["id"] === "2")).toMatchObject({ code: "50001", data: [] });
  expect(await operate("GET", "drained")).toMatchObject({ inflight: 2, sockets: 1 });
  letGo();
  expect((await resting).body.code).toBe("0");
  expect(await client.heard((message) => message["id"] === "1")).toMatchObject({ code: "0" });
  expect(await client.closed).toBe(1012);
  expect(await operate("GET", "drained")).toMatchObject({ inflight: 0, sockets: 0 });
});

test("a drain that is called off serves on as before", async () => {
  const client = await connectSocket(gateway.origin);
  await operate("POST", "drain", { noticeMs: 60_000 });
  await operate("POST", "undrain");
  expect((await place()).headers.get("connection")).toBe("keep-alive");
  expect(await operate("GET", "ready")).toMatchObject({ status: 200 });
  expect(client.messages.filter(isNotice)).toEqual([]);
});

test("stopping finishes what is in flight before the gateway is gone", async () => {
  await place();
  const letGo = gateway.engine.hold();
  const last = place();
  await expect.poll(() => gateway.drain.inflight()).toBe(1);
  const stopped = gateway.stop(0);
  letGo();
  expect((await last).body.code).toBe("0");
  await stopped;
  await expect(place()).rejects.toThrow("fetch failed");
});
