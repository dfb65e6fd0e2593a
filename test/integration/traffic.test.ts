import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTraffic } from "../../src/demo/traffic/start.ts";
import type { Outcome } from "../../src/demo/traffic/outcome.ts";
import type { Traffic } from "../../src/demo/traffic/start.ts";
import { USER_UIDS } from "../../src/demo/venue/accounts.ts";
import { startBalancer } from "../../src/demo/venue/balancer/start.ts";
import type { RunningBalancer } from "../../src/demo/venue/balancer/start.ts";
import type { Release } from "../../src/demo/venue/gateway/release.ts";
import { RELEASE_1_0 } from "../../src/demo/venue/gateway/releases/1.0/release.ts";
import { RELEASE_2_0 } from "../../src/demo/venue/gateway/releases/2.0/release.ts";
import { startGateway } from "../../src/demo/venue/gateway/start.ts";
import type { RunningGateway } from "../../src/demo/venue/gateway/start.ts";
import { fakeEngine } from "../fakes/engine.ts";
import type { FakeEngine } from "../fakes/engine.ts";
import { fakeMetadata } from "../fakes/metadata.ts";
import type { FakeMetadata } from "../fakes/metadata.ts";

const KEY_SEED = "traffic-test";
const REGIONS = ["tokyo", "frankfurt"] as const;
type Region = (typeof REGIONS)[number];

let folder: string;
let engine: FakeEngine;
let metadata: FakeMetadata;
let balancers: Record<Region, RunningBalancer>;
let gateways: Map<string, RunningGateway>;
let traffic: Traffic | undefined;
let outcomes: Outcome[];

const startOne = async (region: Region, instance: string, release: Release): Promise<void> => {
  const config = {
    port: 0,
    instance,
    release: release.version,
    region,
    metadataUrl: "",
    engines: [],
    env: "production",
    keySeed: KEY_SEED,
  } as const;
  // One engine and one store serve all gateways, so none of them may close them.
  const kept = { engine: { ...engine, close: () => Promise.resolve() }, metadata };
  const gateway = await startGateway(config, release, kept);
  gateways.set(instance, gateway);
  await weigh(region, instance, release.version, 100);
};
const weigh = async (region: Region, instance: string, release: string, weight: number): Promise<void> => {
  const body = JSON.stringify({ address: `127.0.0.1:${gateways.get(instance)?.port}`, release, weight });
  const { ok } = await fetch(`http://127.0.0.1:${balancers[region].adminPort}/backends/${instance}`, {
    method: "PUT",
    body,
  });
  expect(ok).toBe(true);
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "traffic-"));
  [engine, metadata, gateways, outcomes, traffic] = [fakeEngine(), fakeMetadata(), new Map(), [], undefined];
  const balancer = (region: Region): Promise<RunningBalancer> =>
    startBalancer({ region, port: 0, adminPort: 0, statePath: join(folder, region) });
  balancers = { tokyo: await balancer("tokyo"), frankfurt: await balancer("frankfurt") };
  for (const region of REGIONS) for (const number of [1, 2]) await startOne(region, `${region}-${number}`, RELEASE_1_0);
});

afterEach(async () => {
  await traffic?.stop();
  await Promise.all([...gateways.values()].map((gateway) => gateway.stop(0)));
  await Promise.all(REGIONS.map((region) => balancers[region].stop()));
  await rm(folder, { recursive: true });
});

const address = (region: Region): { readonly rest: string; readonly ws: string } => ({
  rest: `http://127.0.0.1:${balancers[region].port}`,
  ws: `ws://127.0.0.1:${balancers[region].port}`,
});
const start = async (more: { readonly plantedFailureRate?: number } = {}): Promise<Traffic> => {
  const regions = { tokyo: address("tokyo"), frankfurt: address("frankfurt") };
  const config = {
    regions,
    keySeed: KEY_SEED,
    uids: USER_UIDS.slice(0, 40),
    ratePerSec: 100,
    seed: 5,
    plantedFailureRate: 0,
    ...more,
  };
  traffic = await startTraffic(config, { onOutcome: (outcome) => outcomes.push(outcome) });
  return traffic;
};
const operations = async (count: number): Promise<void> => {
  const until = outcomes.length + count;
  for (const end = Date.now() + 10_000; outcomes.length < until;) {
    if (Date.now() > end) throw new Error(`no ${count} operations within 10 s`);
    await new Promise((done) => setTimeout(done, 20));
  }
};

test("users of a healthy venue fail only where they fail themselves", async () => {
  const running = await start({ plantedFailureRate: 0.02 });
  await operations(300);
  const summary = await running.stop();
  expect(summary).toMatchObject({
    failed: 0,
    failedByCode: {},
    rejected: 0,
    lost: 0,
    unchecked: 0,
    leverageLost: 0,
    left: 0,
  });
  expect(summary.planted).toBeGreaterThan(0);
  expect([...engine.orders.values()].filter((order) => order.state === "live")).toEqual([]);
});

test("gateways are replaced one by one under the users, and no operation fails", async () => {
  const running = await start();
  await operations(50);
  for (const region of REGIONS) {
    for (const number of [1, 2]) {
      const old = `${region}-${number}`;
      await startOne(region, `${old}-new`, RELEASE_2_0);
      await weigh(region, old, "1.0", 0);
      await gateways.get(old)?.stop(400);
      gateways.delete(old);
    }
  }
  await operations(100);
  const summary = await running.stop();
  expect(summary).toMatchObject({ failed: 0, failedByCode: {}, lost: 0, unchecked: 0 });
  expect(Object.keys(summary.byRelease)).toEqual(["1.0", "2.0"]);
  expect(new Set(outcomes.slice(-50).map((outcome) => outcome.release))).toEqual(new Set(["2.0"]));
});

test("accounts that the metadata has lost fail, they alone, and nothing of theirs is lost", async () => {
  const running = await start();
  await operations(50);
  for (const uid of USER_UIDS) if (Number(uid) % 10 === 3) metadata.lose(uid);
  await operations(200);
  const summary = await running.stop();
  expect(summary.failed).toBeGreaterThan(5);
  expect(Object.keys(summary.failedByCode)).toEqual(["50026"]);
  expect(
    Object.entries(summary.byCohort)
      .filter(([, counts]) => counts.failed > 0)
      .map(([cohort]) => cohort),
  ).toEqual(["shard-3"]);
  expect(summary.lost).toBe(0);
});

test("when all gateways of a region are gone its users trade in the other one, and come home when there are new ones", async () => {
  const running = await start();
  await operations(50);
  const goneAt = Date.now();
  for (const number of [1, 2]) {
    await gateways.get(`tokyo-${number}`)?.stop(0);
    gateways.delete(`tokyo-${number}`);
  }
  await operations(100);
  const away = outcomes.filter((outcome) => outcome.at > goneAt && outcome.region === "frankfurt");
  expect(away.length).toBeGreaterThan(50);
  expect(away.filter((outcome) => outcome.class !== "ok")).toEqual([]);
  await startOne("tokyo", "tokyo-3", RELEASE_1_0);
  await operations(300);
  const summary = await running.stop();
  const instances = new Set(outcomes.slice(-100).map((outcome) => `${outcome.protocol} ${outcome.instance}`));
  expect(instances).toContain("rest tokyo-3");
  expect(instances).toContain("ws tokyo-3");
  expect(summary).toMatchObject({ lost: 0, unchecked: 0 });
  // Twenty users are at home there; each notices once, with what was in flight.
  expect(summary.failed).toBeLessThanOrEqual(40);
});
