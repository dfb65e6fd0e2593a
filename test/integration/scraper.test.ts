import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { startScraper } from "../../src/adapters/guard-thread/scraper.ts";
import { OKX_V5 } from "../../src/guard/rules-okx.ts";
import { VENUE_OPERATIONS } from "../../src/plan/operations-of.ts";
import type { LiveSource } from "../../src/adapters/guard-thread/sources/live-source.ts";
import type { CountBin } from "../../src/guard/count.ts";
import type { WatchedInstance } from "../../src/ports/watcher.ts";
import { eventually } from "../fakes/watched-venue.ts";

let scraper: LiveSource | undefined;
const servers: ReturnType<typeof createServer>[] = [];
afterEach(async () => {
  await scraper?.stop();
  scraper = undefined;
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** An instance that has served 300 operations a second since it was made; `fails` says how they end. */
const instance = async (side: "new" | "old", fails: () => boolean): Promise<WatchedInstance> => {
  const counted = { ok: 0, failed: 0 };
  let lastAt = performance.now();
  const server = createServer((_, response) => {
    const operations = Math.floor(((performance.now() - lastAt) * 300) / 1_000);
    lastAt += (operations * 1_000) / 300;
    counted[fails() ? "failed" : "ok"] += operations;
    const lines = [
      `operations_total{operation="order",code="0",http="200",cohort="c"} ${counted.ok}`,
      `operations_total{operation="order",code="50026",http="500",cohort="c"} ${counted.failed}`,
    ];
    response.end(`${lines.join("\n")}\n`);
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    id: `tokyo-${side}`,
    region: "tokyo",
    component: "gateway",
    release: side,
    side,
    inTraffic: true,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
};

test("counters are read closely while new instances fail, every operation is counted once, and then as before", async () => {
  let isBad = false;
  const instances = [await instance("new", () => isBad), await instance("old", () => false)];
  const bins: CountBin[] = [];
  scraper = startScraper({
    path: "/metrics",
    metric: "operations_total",
    rules: OKX_V5,
    operations: VENUE_OPERATIONS,
    now: () => Math.round(performance.timeOrigin + performance.now()),
    lagSince: () => 0,
    onBin: (bin) => void bins.push(bin),
    onReach: () => undefined,
    onUnlisted: () => undefined,
  });
  scraper.instances(instances);
  const short = (from: number): number => bins.slice(from).filter(({ ms }) => ms < 60).length;
  const until = (what: string, isSo: () => boolean): Promise<true> =>
    eventually(
      () => (isSo() ? true : undefined),
      10_000,
      () => `${what}: ${bins.map(({ ms }) => ms).join(" ")}`,
    );
  await until("ten bins", () => bins.length > 10);
  expect(short(0)).toBe(0);
  isBad = true;
  await until("short bins", () => short(0) >= 8);
  isBad = false;
  const from = bins.length;
  await until(
    "long bins again",
    () =>
      bins
        .slice(from)
        .slice(-5)
        .filter(({ ms }) => ms >= 90).length === 5,
  );
  const first = bins.findIndex(({ counts }) => counts.length > 0);
  const spanMs = (bins.at(-1)?.at ?? 0) - (bins[first]?.at ?? 0);
  const counted = bins
    .slice(first + 1)
    .flatMap(({ counts }) => counts)
    .filter(({ side }) => side === "old");
  const perSec = (counted.reduce((sum, { issued }) => sum + issued, 0) * 1_000) / spanMs;
  expect(perSec).toBeGreaterThan(250);
  expect(perSec).toBeLessThan(350);
  // Each bin begins where the one before it ended.
  bins.slice(1).forEach(({ at, ms }, index) => expect(at - ms).toBe(bins[index]?.at));
});
