import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import { accountOf, PROBE_UIDS } from "../../src/demo/venue/accounts.ts";
import { startBalancer, type RunningBalancer } from "../../src/demo/venue/balancer/start.ts";
import { connectEngine } from "../../src/demo/venue/engine/client.ts";
import { readInstruments, VENUE_INSTRUMENTS } from "../../src/demo/venue/engine/instrument.ts";
import { startEngine } from "../../src/demo/venue/engine/serve.ts";
import type { Release } from "../../src/demo/venue/gateway/release.ts";
import { RELEASE_2_0 } from "../../src/demo/venue/gateway/releases/2.0/release.ts";
import { release21 } from "../../src/demo/venue/gateway/releases/2.1/release.ts";
import { startGateway, type RunningGateway } from "../../src/demo/venue/gateway/start.ts";
import type { ProbeFill } from "../../src/guard/probe-fill.ts";
import type { Verdict } from "../../src/guard/verdict.ts";
import type { WatchConfig, WatchedInstance, Watcher } from "../../src/ports/watcher.ts";
import { KEY_SEED } from "../fakes/gateway.ts";
import { fakeMetadata } from "../fakes/metadata.ts";
import { withoutSockets } from "../support/without-sockets.ts";
import { eventually, guardOf, PREFIX } from "../fakes/watched-venue.ts";

const FOREVER = new AbortController().signal;
const NEED = { excludePct: 5, confidencePct: 99 };

/** A real engine and balancer, and real gateways: two of release 2.0 with users, one good and one bad in the dark. */
const accounts = PROBE_UIDS.tokyo.map((uid) => accountOf(uid, "production", KEY_SEED));
let folder: string;
let engine: Awaited<ReturnType<typeof startEngine>>;
let balancer: RunningBalancer;
let gateways: ReadonlyMap<string, RunningGateway>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "guard-venue-"));
  const onFailure = (error: unknown): never => {
    throw error;
  };
  engine = await startEngine(
    {
      name: "a",
      port: 0,
      peerPort: 0,
      dir: join(folder, "engine"),
      witnessDir: join(folder, "witness"),
      startAs: "active",
      instruments: readInstruments(JSON.stringify(VENUE_INSTRUMENTS)),
      silenceMs: 400,
    },
    onFailure,
  );
  gateways = new Map([
    await startOne("tokyo-1", RELEASE_2_0),
    await startOne("tokyo-2", RELEASE_2_0),
    await startOne("good", RELEASE_2_0),
    await startOne("bad", release21({ amendShare: 0.33 })),
  ]);
  balancer = await startBalancer({ region: "tokyo", port: 0, adminPort: 0, statePath: join(folder, "state.json") });
  for (const id of ["tokyo-1", "tokyo-2"]) await weigh(id, 100);
});

afterAll(async () => {
  await balancer.stop();
  await Promise.all([...gateways.values()].map((gateway) => gateway.stop(0)));
  await engine.close();
  await rm(folder, { recursive: true });
});

const startOne = async (name: string, release: Release): Promise<readonly [string, RunningGateway]> => {
  const engines = [`127.0.0.1:${engine.port}`];
  const options = {
    port: 0,
    release: `gateway@${release.version}`,
    region: "tokyo",
    metadataUrl: "",
    engines,
    env: "production",
    keySeed: KEY_SEED,
    instance: name,
  } as const;
  return [
    name,
    await startGateway(options, release, { metadata: fakeMetadata(), engine: connectEngine({ engines, name }) }),
  ];
};
const weigh = async (id: string, weight: number): Promise<void> => {
  await fetch(`http://127.0.0.1:${balancer.adminPort}/backends/${id}`, {
    method: "PUT",
    body: JSON.stringify({ address: `127.0.0.1:${gateways.get(id)?.port}`, release: "gateway@2.0", weight }),
  });
};
const instance = (id: string, side: "new" | "old", inTraffic = side === "old"): WatchedInstance => ({
  id,
  side,
  inTraffic,
  component: "gateway",
  region: "tokyo",
  release: id === "bad" ? "gateway@2.1" : "gateway@2.0",
  url: `http://127.0.0.1:${gateways.get(id)?.port}`,
});
const before = (): readonly WatchedInstance[] => [instance("tokyo-1", "old"), instance("tokyo-2", "old")];
const config = ({ hasSockets = false } = {}): WatchConfig => ({
  guard: guardOf(),
  orderPrefix: PREFIX,
  counters: { path: "/-/metrics", metric: "venue_operations_total" },
  regions: [
    {
      region: "tokyo",
      accounts,
      probe: {
        kind: "okx",
        rest: `http://127.0.0.1:${balancer.port}`,
        ...(hasSockets ? { ws: `ws://127.0.0.1:${balancer.port}/ws/v5` } : {}),
        accounts: { env: "UNUSED" },
        instrument: "PROBE-USDT",
        simulatedTrading: false,
      },
    },
  ],
});
const openOrders = async (): Promise<number> => {
  const link = connectEngine({ engines: [`127.0.0.1:${engine.port}`], name: "test" });
  const pending = await Promise.all(
    PROBE_UIDS.tokyo.map((uid) => link.request({ op: "pending", uid, limit: 100 }, { timeoutMs: 1_000 })),
  );
  link.close();
  return pending.reduce((sum, { orders = [] }) => sum + orders.length, 0);
};

const watching = async (
  act: (watcher: Watcher, verdicts: readonly Verdict[], fills: () => readonly ProbeFill[]) => Promise<void>,
  how: { readonly hasSockets?: boolean } = {},
): Promise<void> => {
  const watcher = guardThread();
  const verdicts: Verdict[] = [];
  let fills: readonly ProbeFill[] = [];
  await watcher.start(config(how), {
    verdict: (verdict) => void verdicts.push(verdict),
    pulse: (pulse) => void (fills = pulse.fills ?? []),
  });
  watcher.instances(before());
  try {
    await act(watcher, verdicts, () => fills);
  } finally {
    await watcher.stop();
  }
};

describe("on the demo's own venue", () => {
  test(
    "health is seen, a good release is proved, a bad one is refuted by its amends, and no order is left",
    { timeout: 40_000 },
    async () => {
      await watching(async (watcher, verdicts) => {
        await watcher.evidence(NEED, FOREVER);
        expect(verdicts.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([expect.stringMatching(/^healthy/)]);
        const prove = (id: string) =>
          watcher.prove({ id, instances: [instance(id, "new")], ...NEED, deadlineMs: 20_000 }, FOREVER);
        expect(await prove("good")).toMatchObject({ kind: "proved" });
        expect(await prove("bad")).toMatchObject({
          kind: "refuted",
          reason: expect.stringMatching(/^amend on bad \(gateway@2\.1\): \d+ of \d+ failed, mostly 50026$/) as string,
        });
        expect(verdicts.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([expect.stringMatching(/^healthy/)]);
      });
      expect(await openOrders()).toBe(0);
    },
  );

  test("a bad release in traffic is suspected, and then failing", async () => {
    await watching(async (watcher, verdicts) => {
      await watcher.evidence(NEED, FOREVER);
      watcher.instances([...before(), instance("bad", "new", true)]);
      watcher.mark({ id: "admit", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
      await weigh("bad", 100);
      const suspect = await eventually(
        () => verdicts.find(({ state }) => state === "suspect"),
        10_000,
        () => JSON.stringify(verdicts),
      );
      expect(suspect.reason).toMatch(
        /^amend in tokyo on gateway@2\.1: \d+ of \d+ failed \(50026\), 0 of \d+ on gateway@2\.0$/,
      );
      await weigh("bad", 0);
      watcher.instances([...before(), instance("bad", "new", false)]);
      await eventually(
        () => verdicts.find(({ state }) => state === "failing"),
        15_000,
        () => JSON.stringify(verdicts),
      );
    });
    expect(await openOrders()).toBe(0);
  });

  test.each([1_500, 0])(
    "an old instance that is retired with %i ms of notice, before the run says that it is out of traffic, is no trouble",
    async (noticeMs) => {
      const id = `leaver-${noticeMs}`;
      gateways = new Map([...gateways, await startOne(id, RELEASE_2_0)]);
      await weigh(id, 100);
      await watching(async (watcher, verdicts) => {
        const all = [...before(), instance(id, "old"), instance("good", "new", true)];
        watcher.instances(all);
        await weigh("good", 100);
        watcher.mark({ id: "admit", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
        await watcher.evidence({ excludePct: 20, confidencePct: 99 }, FOREVER);
        await weigh(id, 0);
        await gateways.get(id)?.stop(noticeMs);
        gateways = new Map([...gateways].filter(([name]) => name !== id));
        const goneAt = performance.now();
        await eventually(
          () => (performance.now() - goneAt > 2_000 ? true : undefined),
          5_000,
          () => "two seconds without it",
        );
        watcher.instances(all.filter((one) => one.id !== id));
        watcher.mark({ id: "retired", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
        await watcher.evidence({ excludePct: 20, confidencePct: 99 }, FOREVER);
        expect(verdicts.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([expect.stringMatching(/^healthy/)]);
      });
      await weigh("good", 0);
    },
  );

  test.each([{ hasSockets: false }, { hasSockets: true }])(
    "orders of a guard that is killed are gone when the dead man's time is over; WebSocket: $hasSockets",
    { timeout: 40_000 },
    async (how) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "processes", "watch-until-killed.ts")], {
        env: { ...process.env, WATCH: JSON.stringify(config(how)) },
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await eventually(
        async () => ((await openOrders()) > 0 ? true : undefined),
        10_000,
        () => "an open probe order",
      );
      child.kill("SIGKILL");
      await once(child, "exit");
      expect(await openOrders()).toBeGreaterThan(0);
      await eventually(
        async () => ((await openOrders()) === 0 ? true : undefined),
        15_000,
        () => "the dead-man switch",
      );
    },
  );

  test("a release whose WebSocket is broken while its REST is fine is refuted in the dark, and named", async () => {
    const way = await withoutSockets(gateways.get("good")?.port ?? 0);
    const broken = { ...instance("good", "new"), url: way.url };
    try {
      await watching(
        async (watcher) => {
          await watcher.evidence(NEED, FOREVER);
          const prove = (one: WatchedInstance) =>
            watcher.prove({ id: "p", instances: [one], ...NEED, deadlineMs: 20_000 }, FOREVER);
          expect(await prove(broken)).toMatchObject({
            kind: "refuted",
            reason: expect.stringMatching(/over WebSocket on good .*: \d+ of \d+ failed, mostly refused/) as string,
          });
          expect(await prove(instance("good", "new"))).toMatchObject({ kind: "proved" });
        },
        { hasSockets: true },
      );
    } finally {
      await way.close();
    }
    expect(await openOrders()).toBe(0);
  });

  test(
    "an old instance that drains while probes trade there over WebSocket is no trouble",
    { timeout: 40_000 },
    async () => {
      const id = "socket-leaver";
      gateways = new Map([...gateways, await startOne(id, RELEASE_2_0)]);
      await weigh(id, 100);
      await watching(
        async (watcher, verdicts) => {
          const all = [...before(), instance(id, "old"), instance("good", "new", true)];
          watcher.instances(all);
          await weigh("good", 100);
          watcher.mark({ id: "admit", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
          await watcher.evidence({ excludePct: 10, confidencePct: 99 }, FOREVER);
          await weigh(id, 0);
          await gateways.get(id)?.stop(1_500);
          gateways = new Map([...gateways].filter(([name]) => name !== id));
          watcher.instances(all.filter((one) => one.id !== id));
          watcher.mark({ id: "retired", cause: { kind: "instances", component: "gateway", regions: ["tokyo"] } });
          await watcher.evidence({ excludePct: 10, confidencePct: 99 }, FOREVER);
          expect(verdicts.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
            expect.stringMatching(/^healthy/),
          ]);
        },
        { hasSockets: true },
      );
      await weigh("good", 0);
    },
  );

  test("a probe order that a user sells into is sold again on the real book, once", { timeout: 40_000 }, async () => {
    const link = connectEngine({ engines: [`127.0.0.1:${engine.port}`], name: "users" });
    const place = (uid: string, side: "buy" | "sell", px: string, clOrdId: string) =>
      link.request(
        {
          op: "place",
          uid,
          instId: "PROBE-USDT",
          side,
          ordType: side === "sell" ? "ioc" : "limit",
          tdMode: "cash",
          px,
          sz: "0.01",
          clOrdId,
          tag: "",
        },
        { timeoutMs: 1_000 },
      );
    try {
      await watching(
        async (watcher, _, fills) => {
          await watcher.evidence(NEED, FOREVER);
          await eventually(
            async () => {
              const { order } = await place("1000", "sell", "60", `user${Date.now()}`);
              return Number(order?.accFillSz) > 0 ? true : undefined;
            },
            10_000,
            () => "a probe order that rests",
          );
          const clOrdId = await eventually(
            () => fills()[0]?.clOrdId,
            10_000,
            () => "a fill that is told",
          );
          // Now somebody is there who buys it from the probe's account, above the bids of other probes.
          await place("1001", "buy", "80", "buyer");
          const sold = await eventually(
            () => fills().find((fill) => fill.clOrdId === clOrdId && fill.state === "sold"),
            20_000,
            () => JSON.stringify(fills()),
          );
          expect(sold).toMatchObject({ region: "tokyo", instrument: "PROBE-USDT", size: "0.01", sold: "0.01" });
        },
        { hasSockets: true },
      );
      const { order } = await link.request(
        { op: "order", uid: "1001", instId: "PROBE-USDT", clOrdId: "buyer" },
        { timeoutMs: 1_000 },
      );
      expect(order).toMatchObject({ state: "filled", accFillSz: "0.01" });
    } finally {
      link.close();
    }
    expect(await openOrders()).toBe(0);
  });
});
