import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTraffic } from "../../src/demo/traffic/start.ts";
import type { Traffic } from "../../src/demo/traffic/start.ts";
import { USER_UIDS } from "../../src/demo/venue/accounts.ts";
import { connectEngine } from "../../src/demo/venue/engine/client.ts";
import { RELEASE_1_0 } from "../../src/demo/venue/gateway/releases/1.0/release.ts";
import { startGateway } from "../../src/demo/venue/gateway/start.ts";
import type { RunningGateway } from "../../src/demo/venue/gateway/start.ts";
import { fakeMetadata } from "../fakes/metadata.ts";

const KEY_SEED = "takeover-test";
let folder: string;
let engines: Record<"a" | "b", ChildProcess>;
let gateways: Record<"tokyo" | "frankfurt", RunningGateway>;
let traffic: Traffic | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "takeover-"));
  await mkdir(join(folder, "witness"));
  const [a, b] = [await freePort(), await freePort()];
  engines = { a: await startEngine("a", a, b, "active"), b: await startEngine("b", b, a, "standby") };
  const gateway = (region: "tokyo" | "frankfurt"): Promise<RunningGateway> =>
    startGateway(
      {
        port: 0,
        instance: region,
        release: "1.0",
        region,
        metadataUrl: "",
        engines: [],
        env: "production",
        keySeed: KEY_SEED,
      },
      RELEASE_1_0,
      {
        engine: connectEngine({ engines: [`127.0.0.1:${a}`, `127.0.0.1:${b}`], name: region }),
        metadata: fakeMetadata(),
      },
    );
  gateways = { tokyo: await gateway("tokyo"), frankfurt: await gateway("frankfurt") };
});

afterEach(async () => {
  await traffic?.stop();
  await Promise.all([gateways.tokyo.stop(0), gateways.frankfurt.stop(0)]);
  await Promise.all(Object.values(engines).map(killed));
  await rm(folder, { recursive: true });
});

test("when the active engine is killed under the users, every acknowledged order stands", async () => {
  const address = ({ port }: RunningGateway): { rest: string; ws: string } => ({
    rest: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
  });
  const regions = { tokyo: address(gateways.tokyo), frankfurt: address(gateways.frankfurt) };
  traffic = await startTraffic({
    regions,
    keySeed: KEY_SEED,
    uids: [...USER_UIDS],
    ratePerSec: 200,
    seed: 9,
    plantedFailureRate: 0,
  });
  const done = (): number => traffic?.counts().ops ?? 0;
  await reached(() => done() >= 400);
  await killed(engines.a);
  const before = done();
  await reached(() => done() >= before + 400);
  const summary = await traffic.stop();
  expect(summary).toMatchObject({ lost: 0, lostOrders: [], unchecked: 0 });
  expect(summary.ordersChecked).toBeGreaterThan(300);
  // Whatever was in flight was asked for afterwards, and the venue knew.
  expect(summary.ambiguousResolved.unknown).toBe(0);
});

/** Polls; rejects after 15 s. */
const reached = async (isSo: () => boolean): Promise<void> => {
  for (const end = Date.now() + 15_000; !isSo();) {
    if (Date.now() > end) throw new Error("the users did not get on within 15 s");
    await new Promise((done) => setTimeout(done, 50));
  }
};

const startEngine = async (name: string, port: number, peer: number, as: string): Promise<ChildProcess> => {
  const env = {
    ...process.env,
    ENGINE_NAME: name,
    ENGINE_PORT: String(port),
    ENGINE_PEER_PORT: String(peer),
    ENGINE_DIR: join(folder, name),
    ENGINE_WITNESS_DIR: join(folder, "witness"),
    ENGINE_START_AS: as,
  };
  const child = spawn(process.execPath, ["src/demo/venue/engine/main.ts"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Its first line says that it listens.
  await once(child.stdout, "data");
  return child;
};

const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};
