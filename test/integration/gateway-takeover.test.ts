import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen } from "../../src/demo/venue/listen.ts";
import { connectEngine } from "../../src/demo/venue/engine/client.ts";
import { readInstruments, VENUE_INSTRUMENTS } from "../../src/demo/venue/engine/instrument.ts";
import { startEngine } from "../../src/demo/venue/engine/serve.ts";
import type { Engine } from "../../src/demo/venue/engine/serve.ts";
import { RELEASE_2_0 } from "../../src/demo/venue/gateway/releases/2.0/release.ts";
import { startGateway } from "../../src/demo/venue/gateway/start.ts";
import type { RunningGateway } from "../../src/demo/venue/gateway/start.ts";
import { ALICE, call, FAR_BUY, KEY_SEED } from "../fakes/gateway.ts";
import { fakeMetadata } from "../fakes/metadata.ts";
import { loggedIn } from "../fakes/socket-client.ts";
import type { Message } from "../fakes/socket-client.ts";

let folder: string;
let engines: readonly Engine[];
let gateway: RunningGateway;
let origin: string;

const failed = (): void => {};

const freePort = async (): Promise<number> => {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "takeover-"));
  const [a, b] = [await freePort(), await freePort()];
  const common = {
    witnessDir: join(folder, "witness"),
    instruments: readInstruments(JSON.stringify(VENUE_INSTRUMENTS)),
    silenceMs: 300,
  };
  const first = await startEngine(
    { ...common, name: "a", port: a, peerPort: b, dir: join(folder, "a"), startAs: "active" },
    failed,
  );
  const second = await startEngine(
    { ...common, name: "b", port: b, peerPort: a, dir: join(folder, "b"), startAs: "standby" },
    failed,
  );
  engines = [first, second];
  await vi.waitUntil(() => first.status().peerConnected, { timeout: 5_000 });
  const addresses = [`127.0.0.1:${a}`, `127.0.0.1:${b}`];
  const config = {
    port: 0,
    instance: "g",
    release: "2.0",
    region: "tokyo",
    metadataUrl: "",
    engines: addresses,
    env: "production",
    keySeed: KEY_SEED,
  } as const;
  gateway = await startGateway(config, RELEASE_2_0, {
    metadata: fakeMetadata(),
    engine: connectEngine({ engines: addresses, name: "g" }),
  });
  origin = `http://127.0.0.1:${gateway.port}`;
});
afterEach(async () => {
  await gateway.stop(0);
  for (const engine of engines) await engine.close();
  await rm(folder, { recursive: true });
});

const isPush = (clOrdId: string) => (message: Message) =>
  "data" in message && (message["data"] as Message[])[0]?.["clOrdId"] === clOrdId;

type Sent = { readonly clOrdId: string; readonly sCode: string; readonly ms: number };

test("when the active engine dies, orders wait for the other one: none is lost, none doubled, no answer takes longer than its deadline", async () => {
  const socket = await loggedIn(origin, ALICE);
  socket.send({ op: "subscribe", args: [{ channel: "orders", instType: "ANY" }] });
  await socket.heard((message) => message["event"] === "channel-conn-count");
  const sent: Sent[] = [];
  const place = async (clOrdId: string): Promise<void> => {
    const since = performance.now();
    const { body } = await call(origin, "POST", "/api/v5/trade/order", { ...FAR_BUY, clOrdId });
    sent.push({ clOrdId, sCode: body.data[0]?.sCode ?? body.code, ms: performance.now() - since });
  };
  for (let index = 0; index < 10; index += 1) await place(`before${index}`);
  const during = Array.from({ length: 10 }, (_, index) => place(`during${index}`));
  await engines[0]?.close();
  await Promise.all([...during, ...Array.from({ length: 10 }, (_, index) => place(`after${index}`))]);

  expect(sent.filter(({ sCode }) => !["0", "50001", "51149"].includes(sCode))).toEqual([]);
  expect(sent.filter(({ clOrdId, sCode }) => clOrdId.startsWith("after") && sCode === "0")).toHaveLength(10);
  expect(Math.max(...sent.map(({ ms }) => ms))).toBeLessThan(2_000);
  const { body } = await call(origin, "GET", "/api/v5/trade/orders-pending?instId=BTC-USDT");
  const resting = body.data.map(({ clOrdId }) => clOrdId);
  expect(new Set(resting).size).toBe(resting.length);
  const namesWith = (sCode: string) => sent.filter((each) => each.sCode === sCode).map(({ clOrdId }) => clOrdId);
  expect(resting).toEqual(expect.arrayContaining(namesWith("0")));
  expect(resting.filter((name) => namesWith("50001").includes(name))).toEqual([]);
  for (const clOrdId of namesWith("0")) await socket.heard(isPush(clOrdId));
});
