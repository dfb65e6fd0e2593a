import { afterEach, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import { eventually, watchedVenue, type RegionPlan, type WatchedVenue } from "../fakes/watched-venue.ts";
import { probeAccounts } from "../fakes/okx-server.ts";

const TOKYO: readonly RegionPlan[] = [{ region: "tokyo", old: 2, usersPerSec: 100 }];
const FOREVER = new AbortController().signal;
const NEED = { excludePct: 10, confidencePct: 99 };

let venue: WatchedVenue | undefined;
afterEach(async () => {
  await venue?.close();
  venue = undefined;
});

const watch = async (
  how: Parameters<typeof watchedVenue>[2] = {},
  prepare: (world: WatchedVenue) => void = () => undefined,
) => {
  const watcher = guardThread();
  venue = await watchedVenue(watcher, TOKYO, { hasSockets: true, ...how });
  prepare(venue);
  await venue.start();
  return { watcher, venue, server: venue.server("tokyo") };
};
const some = (look: () => boolean, ms: number, what: () => string): Promise<true> =>
  eventually(() => (look() ? true : undefined), ms, what);

describe("probes over WebSocket", { timeout: 40_000 }, () => {
  test("are half of all once the connections stand, leave no order, and keep no connection", async () => {
    const { watcher, venue: world, server } = await watch({ guard: { probesPerSec: 90 } });
    await world.until("healthy");
    await some(
      () => server.sockets() >= 10,
      20_000,
      () => `${server.sockets()} connections`,
    );
    const [all, socket] = [server.operations(), server.socketOperations()];
    await some(
      () => server.operations() - all > 120,
      10_000,
      () => "120 operations",
    );
    const share = (server.socketOperations() - socket) / (server.operations() - all);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.7);
    await watcher.stop();
    expect(server.openOrders()).toBe(0);
    await some(
      () => server.sockets() === 0,
      5_000,
      () => `${server.sockets()} connections`,
    );
    expect(world.verdicts.map(({ state }) => state)).toEqual(["healthy"]);
  });

  test("find a release in the dark whose WebSocket fails while its REST is well, and name it", async () => {
    const { watcher, venue: world, server } = await watch();
    await world.until("healthy");
    server.fault([{ instances: ["tokyo-new"], protocol: "ws", how: { code: "64007", http: 200 } }]);
    const result = await watcher.prove(
      { id: "p", instances: [world.dark("tokyo")], ...NEED, deadlineMs: 20_000 },
      FOREVER,
    );
    expect(result).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(
        /over WebSocket on tokyo-new \(gateway@2\.0\): \d+ of \d+ failed, mostly 64007/,
      ) as string,
    });
    expect(world.pulses.at(-1)?.failed).toBe(0);
  });

  test("find a release in traffic whose WebSocket never answers, and name it", async () => {
    const { venue: world, server } = await watch();
    await world.until("healthy");
    server.fault([{ instances: ["tokyo-new"], protocol: "ws", how: "hang" }]);
    world.admit("tokyo");
    const suspect = await world.until("suspect");
    expect(suspect.reason).toMatch(/over WebSocket in tokyo on gateway@2\.0: \d+ of \d+ failed \((mostly )?timeout\)/);
  });

  test("prove a good release, and go on without a failure when the venue gives notice and closes every connection", async () => {
    const { watcher, venue: world, server } = await watch();
    await world.until("healthy");
    await some(
      () => server.sockets() >= 6,
      10_000,
      () => "connections",
    );
    const before = server.socketOperations();
    server.notice(300);
    await some(
      () => server.socketOperations() > before + 60,
      20_000,
      () => "operations over new connections",
    );
    expect(
      await watcher.prove({ id: "p", instances: [world.dark("tokyo")], ...NEED, deadlineMs: 20_000 }, FOREVER),
    ).toMatchObject({ kind: "proved" });
    expect(world.verdicts.map(({ state }) => state)).toEqual(["healthy"]);
    const probed = world.pulses.at(-1)?.streams.filter(({ source }) => source === "probes") ?? [];
    expect(probed.reduce((sum, { failed }) => sum + failed, 0)).toBe(0);
  });

  test("whose login is refused accuse nobody", async () => {
    const { venue: world, server } = await watch({}, (one) => one.server("tokyo").bar(true));
    await world.until("healthy");
    const from = server.operations();
    await some(
      () => server.operations() > from + 100,
      15_000,
      () => "operations over REST",
    );
    expect(server.socketOperations()).toBe(0);
    const probed = world.pulses.at(-1)?.streams.filter(({ source }) => source === "probes") ?? [];
    expect(probed.reduce((sum, { failed }) => sum + failed, 0)).toBe(0);
  });
});

describe("a probe order that somebody trades with", { timeout: 40_000 }, () => {
  test("is sold again, exactly once and near the market, is told, and is no failure", async () => {
    const { watcher, venue: world, server } = await watch({ hasSockets: false });
    await world.until("healthy");
    const filled = await eventually(
      () => {
        const ids = server.fill(1);
        return ids.length > 0 ? ids : undefined;
      },
      5_000,
      () => "a resting order",
    );
    const sold = await eventually(
      () => world.pulses.at(-1)?.fills?.find(({ state }) => state === "sold"),
      10_000,
      () => JSON.stringify(world.pulses.at(-1)?.fills),
    );
    expect(sold).toMatchObject({ region: "tokyo", clOrdId: filled[0], instrument: "PROBE-USDT", size: "0.01" });
    // The next orders of the same account find nothing left to sell.
    const from = server.operations();
    await some(
      () => server.operations() > from + 60,
      10_000,
      () => "operations",
    );
    expect(server.sales()).toEqual([{ clOrdId: `${filled[0] ?? ""}F`, sz: "0.01", px: expect.any(String) as string }]);
    expect(Number(server.sales()[0]?.px)).toBeGreaterThanOrEqual(90);
    await watcher.stop();
    expect(server.sales()).toHaveLength(1);
    const probed = world.pulses.at(-1)?.streams.filter(({ source }) => source === "probes") ?? [];
    expect(probed.reduce((sum, { failed }) => sum + failed, 0)).toBe(0);
  });

  test("while no guard lived is sold by the next one, which asks first whether it was sold already", async () => {
    const { watcher, venue: world, server } = await watch({ hasSockets: false });
    await world.until("healthy");
    await watcher.stop();
    const [account] = probeAccounts("tokyo");
    if (account === undefined) throw new Error("no account");
    server.leave(account, "mfprobeleft");
    expect(server.fill(1)).toEqual(["mfprobeleft"]);
    for (const round of [1, 2]) {
      const next = guardThread();
      const fills: unknown[] = [];
      await next.start(world.config, {
        verdict: () => undefined,
        pulse: (pulse) => void fills.push(...(pulse.fills ?? []).map(({ state }) => state)),
      });
      await some(
        () => fills.includes("sold"),
        10_000,
        () => `round ${round}: ${JSON.stringify(fills)}`,
      );
      await next.stop();
      expect(server.sales()).toEqual([{ clOrdId: "mfprobeleftF", sz: "0.01", px: expect.any(String) as string }]);
    }
  });
});

describe("probes at a venue that is slow", () => {
  test("never pile up: at most one request of an account is under way, and its schedule goes on", async () => {
    const { venue: world, server } = await watch({ hasSockets: false, guard: { probesPerSec: 200 } });
    await world.until("healthy");
    server.fault([{ how: "hang" }]);
    const from = server.operations();
    const at = performance.now();
    await some(
      () => performance.now() - at > 2_000,
      5_000,
      () => "two seconds",
    );
    // Ten accounts, each busy for at least the deadline of 250 ms, and twice that when it asks for the order's state.
    expect(server.operations() - from).toBeLessThanOrEqual((10 * (performance.now() - at)) / 250 + 10);
    await some(
      () => (world.pulses.at(-1)?.schedule?.slots ?? 0) > 300,
      5_000,
      () => "300 slots of the schedule",
    );
  });
});
