import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBalancer } from "../../src/demo/venue/balancer/start.ts";
import type { RunningBalancer } from "../../src/demo/venue/balancer/start.ts";
import { ALICE, call, FAR_BUY, gatewayOnFakes } from "../fakes/gateway.ts";
import { loggedIn } from "../fakes/socket-client.ts";

let folder: string;
let balancer: RunningBalancer;
let cleanups: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "balancer-"));
  balancer = await start();
  cleanups = [];
});
afterEach(async () => {
  await balancer.stop();
  for (const cleanup of cleanups) await cleanup();
  await rm(folder, { recursive: true });
});

const start = (): Promise<RunningBalancer> =>
  startBalancer({ region: "tokyo", port: 0, adminPort: 0, statePath: join(folder, "state.json") });

const origin = (): string => `http://127.0.0.1:${balancer.port}`;
const admin = async (
  method: string,
  path: string,
  body?: unknown,
  fence?: string,
): Promise<{ status: number; body: any }> => {
  const response = await fetch(`http://127.0.0.1:${balancer.adminPort}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(fence !== undefined && { headers: { "x-midflight-fence": fence } }),
  });
  return { status: response.status, body: await response.json() };
};
const put = (id: string, port: number, weight = 100, fence?: string) =>
  admin("PUT", `/backends/${id}`, { address: `127.0.0.1:${port}`, release: "1.0", weight }, fence);

/** A backend of the test's own. */
const backend = async (
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<{ port: number; server: Server; seen: string[] }> => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      seen.push(`${request.method} ${request.url}`);
      answer(request, response, Buffer.concat(chunks).toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => server.close() && server.closeAllConnections());
  return { port: (server.address() as AddressInfo).port, server, seen };
};
const named = (name: string) => backend((_request, response) => response.end(name));
const deadPort = async (): Promise<number> => {
  const { server, port } = await named("dead");
  await new Promise((resolve) => server.close(resolve));
  return port;
};
const ask = async (path = "/api/v5/public/time"): Promise<{ status: number; text: string }> => {
  const response = await fetch(origin() + path);
  return { status: response.status, text: await response.text() };
};

describe("requests", () => {
  test("are spread by weight, and a new weight counts for the next request", async () => {
    const [one, two] = [await named("one"), await named("two")];
    await put("one", one.port, 75);
    await put("two", two.port, 25);
    for (let turn = 0; turn < 20; turn += 1) await ask();
    expect([one.seen.length, two.seen.length]).toEqual([15, 5]);
    await put("one", one.port, 0);
    for (let turn = 0; turn < 10; turn += 1) expect((await ask()).text).toBe("two");
  });

  test("keep their raw target, headers and body, so that signatures hold", async () => {
    let heard: { url: string | undefined; key: unknown; body: string } | undefined;
    const { port } = await backend((request, response, body) => {
      heard = { url: request.url, key: request.headers["ok-access-key"], body };
      response.writeHead(418, { "x-venue-release": "1.0", connection: "close" }).end("{}");
    });
    await put("one", port);
    const response = await fetch(`${origin()}/api/v5/trade/order?a=%20b&&c`, {
      method: "POST",
      body: '{ "x" : 1 }',
      headers: { "OK-ACCESS-KEY": "k" },
    });
    expect(heard).toEqual({ url: "/api/v5/trade/order?a=%20b&&c", key: "k", body: '{ "x" : 1 }' });
    expect([response.status, response.headers.get("x-venue-release"), response.headers.get("connection")]).toEqual([
      418,
      "1.0",
      "keep-alive",
    ]);
  });

  test("without a backend are answered with 503 and 50001", async () => {
    expect(await ask()).toEqual({
      status: 503,
      text: '{"code":"50001","msg":"Service temporarily unavailable","data":[]}',
    });
  });

  test("that a backend refuses go to another one, once", async () => {
    const alive = await named("alive");
    await put("dead", await deadPort());
    await put("alive", alive.port);
    for (let turn = 0; turn < 6; turn += 1) expect(await ask()).toEqual({ status: 200, text: "alive" });
  });

  test("that two backends refuse end with 502, which is no JSON", async () => {
    await put("a", await deadPort());
    await put("b", await deadPort());
    expect(await ask()).toEqual({ status: 502, text: "Bad Gateway" });
  });

  test("whose connection is lost on the way are never sent twice", async () => {
    const [lossy, other] = [await backend((request) => request.socket.destroy()), await named("other")];
    await put("lossy", lossy.port, 100);
    await put("other", other.port, 0);
    expect(await ask()).toEqual({ status: 502, text: "Bad Gateway" });
    expect([lossy.seen.length, other.seen.length]).toEqual([1, 0]);
  });

  test("to operators' paths are not forwarded", async () => {
    const one = await named("one");
    await put("one", one.port);
    expect((await ask("/-/drain")).status).toBe(404);
    expect(one.seen).toEqual([]);
  });

  test("re-use connections to clients and to backends", async () => {
    const sockets = new Set<Socket>();
    const one = await backend((request, response) => {
      sockets.add(request.socket);
      response.end("one");
    });
    await put("one", one.port);
    for (let turn = 0; turn < 5; turn += 1) await ask();
    expect(sockets.size).toBe(1);
  });

  test("are counted by backend, release and status, and shown while in flight", async () => {
    const { promise, resolve: letGo } = Promise.withResolvers<void>();
    const one = await backend((_request, response) => void promise.then(() => response.end("late")));
    await put("one", one.port);
    const late = ask();
    await expect.poll(async () => (await admin("GET", "/backends")).body.backends[0].inflight).toBe(1);
    letGo();
    await late;
    expect((await admin("GET", "/backends")).body.backends[0]).toMatchObject({ inflight: 0, sockets: 0 });
    const metrics = await (await fetch(`http://127.0.0.1:${balancer.adminPort}/metrics`)).text();
    expect(metrics).toContain('balancer_requests_total{backend="one",release="1.0",status="200"} 1');
  });

  test("of a client that left do not stay in flight", async () => {
    const one = await backend(() => {});
    await put("one", one.port);
    const leaving = httpRequest({ host: "127.0.0.1", port: balancer.port, path: "/x" });
    leaving.on("error", () => {});
    leaving.end();
    await expect.poll(() => one.seen.length).toBe(1);
    leaving.destroy();
    await expect.poll(async () => (await admin("GET", "/backends")).body.backends[0].inflight).toBe(0);
  });
});

describe("sockets", () => {
  test("reach a gateway, stay when its weight falls to 0, and end when it closes them", async () => {
    const gateway = await gatewayOnFakes();
    cleanups.push(() => gateway.stop(0));
    await put("one", gateway.port);
    const client = await loggedIn(origin(), ALICE);
    expect((await admin("GET", "/backends")).body.backends[0].sockets).toBe(1);
    await put("one", gateway.port, 0);
    client.send({ id: "1", op: "order", args: [FAR_BUY] });
    expect(await client.heard((message) => message["id"] === "1")).toMatchObject({ code: "0" });
    await expect(loggedIn(origin(), ALICE)).rejects.toThrow("503");
    gateway.drain.start(0);
    expect(await client.closed).toBe(1012);
    await expect.poll(async () => (await admin("GET", "/backends")).body.backends[0].sockets).toBe(0);
  });

  test("that a backend refuses go to another one", async () => {
    const gateway = await gatewayOnFakes();
    cleanups.push(() => gateway.stop(0));
    await put("dead", await deadPort());
    await put("one", gateway.port);
    for (let turn = 0; turn < 4; turn += 1) {
      const client = await loggedIn(origin(), ALICE);
      expect(client.messages[0]).toMatchObject({ event: "login", code: "0" });
      client.close();
    }
  });
});

describe("changing a gateway under load", () => {
  test("no request is lost when one gateway is drained and stopped and another takes its place", async () => {
    const old = await gatewayOnFakes();
    await put("old", old.port);
    const end = new AbortController();
    const codes: string[] = [];
    const load = Array.from({ length: 4 }, async () => {
      while (!end.signal.aborted) {
        const { http, body } = await call(origin(), "GET", "/api/v5/account/balance");
        codes.push(`${http} ${body.code}`);
      }
    });
    const next = await gatewayOnFakes();
    cleanups.push(() => next.stop(0));
    await put("next", next.port);
    await put("old", old.port, 0);
    await old.stop(50);
    await admin("DELETE", "/backends/old");
    const enough = codes.length + 50;
    await expect.poll(() => codes.length, { timeout: 10_000 }).toBeGreaterThan(enough);
    end.abort();
    await Promise.all(load);
    expect(new Set(codes)).toEqual(new Set(["200 0"]));
  });
});

describe("operators", () => {
  test("a write with a lower fence than any before is refused and changes nothing", async () => {
    expect((await put("one", 7001, 100)).status).toBe(200);
    expect((await put("one", 7001, 50, "2.5")).status).toBe(200);
    expect(await put("one", 7001, 0, "2.4")).toEqual({ status: 409, body: { error: "fenced", highest: "2.5" } });
    expect((await put("one", 7001, 0)).status).toBe(409);
    expect((await admin("DELETE", "/backends/one", undefined, "1.9")).status).toBe(409);
    expect((await put("one", 7001, 50, "2.5")).status).toBe(200);
    expect((await admin("GET", "/backends")).body).toMatchObject({
      fence: { epoch: 2, seq: 5 },
      backends: [{ id: "one", weight: 50 }],
    });
  });

  test("backends and fence survive a restart", async () => {
    await put("one", 7001, 25, "3.1");
    await balancer.stop();
    balancer = await start();
    expect((await put("one", 7001, 100, "3.0")).status).toBe(409);
    expect((await admin("GET", "/backends")).body).toMatchObject({
      fence: { epoch: 3, seq: 1 },
      backends: [{ id: "one", address: "127.0.0.1:7001", release: "1.0", weight: 25 }],
    });
  });

  test("many writes at once leave a whole file and the last word of the highest fence", async () => {
    const writes = Array.from({ length: 20 }, (_, index) => put(`g${index % 5}`, 7000 + index, index, `1.${index}`));
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
    const saved = JSON.parse(await readFile(join(folder, "state.json"), "utf8")) as { fence: unknown };
    expect(saved.fence).toEqual({ epoch: 1, seq: 19 });
  });

  test("a damaged state file stops the start instead of being forgotten", async () => {
    await writeFile(join(folder, "state.json"), '{"fence"');
    await expect(start()).rejects.toMatchObject({ code: "VENUE_CONFIG" });
  });

  test.each([
    { name: "no address", body: { release: "1.0", weight: 1 } },
    { name: "a weight above 100", body: { address: "127.0.0.1:1", release: "1.0", weight: 101 } },
    { name: "a weight that is text", body: { address: "127.0.0.1:1", release: "1.0", weight: "1" } },
  ])("a backend with $name is refused with 400", async ({ body }) => {
    expect((await admin("PUT", "/backends/one", body)).status).toBe(400);
  });
});
