import { afterEach, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import { eventually, PREFIX, watchedVenue, type RegionPlan, type WatchedVenue } from "../fakes/watched-venue.ts";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Verdict } from "../../src/guard/verdict.ts";
import type { WatchConfig, WatchedInstance } from "../../src/ports/watcher.ts";
import { probeAccounts } from "../fakes/okx-server.ts";

const REGIONS: readonly RegionPlan[] = [
  { region: "tokyo", old: 3, usersPerSec: 100 },
  { region: "frankfurt", old: 3, usersPerSec: 100 },
];
const SYSTEM_ERROR = { code: "50026", http: 500 };
const FOREVER = new AbortController().signal;

let venue: WatchedVenue | undefined;
afterEach(async () => {
  await venue?.close();
  venue = undefined;
});

const watch = async (how: Parameters<typeof watchedVenue>[2] = {}, regions = REGIONS) => {
  const watcher = guardThread();
  venue = await watchedVenue(watcher, regions, how);
  await venue.start();
  return { watcher, venue };
};

describe("a healthy venue", () => {
  test("is called healthy on evidence only, gives evidence after each mark, and keeps no order", async () => {
    const { watcher, venue: world } = await watch();
    await world.until("healthy");
    expect(world.verdicts.map(({ state }) => state)).toEqual(["healthy"]);
    watcher.mark({ id: "m", cause: { kind: "metadata", component: "orders-db" } });
    const proved = await watcher.evidence({ excludePct: 5, confidencePct: 99 }, FOREVER);
    expect(proved.state).toBe("healthy");
    expect(proved.reason).toMatch(/5 % and more are excluded with 99 %/);
    const pulse = world.pulses.at(-1);
    expect(pulse?.failed).toBe(0);
    expect(pulse?.operationsPerSec).toBeGreaterThan(100);
    expect(new Set(pulse?.streams.map(({ source }) => source))).toEqual(new Set(["probes", "live"]));
    await watcher.stop();
    expect(world.server("tokyo").openOrders() + world.server("frankfurt").openOrders()).toBe(0);
  });

  test("is probed as often as asked, evenly", async () => {
    const { venue: world } = await watch({ guard: { probesPerSec: 50 } });
    await world.until("healthy");
    const from = world.server("tokyo").operations();
    const at = performance.now();
    await eventually(
      () => (performance.now() - at > 2_000 ? true : undefined),
      5_000,
      () => "two seconds",
    );
    const perSec = ((world.server("tokyo").operations() - from) * 1000) / (performance.now() - at);
    expect(perSec).toBeGreaterThan(40);
    expect(perSec).toBeLessThan(55);
  });
});

describe("a bad release", () => {
  test("is refuted in the dark with the operation, the counts and the code, and no verdict falls", async () => {
    const { watcher, venue: world } = await watch();
    await world.until("healthy");
    world.server("tokyo").fault([{ operation: "amend", instances: ["tokyo-new"], share: 1 / 3, how: SYSTEM_ERROR }]);
    watcher.instances([...world.before, world.dark("tokyo")]);
    const result = await watcher.prove(
      { id: "p", instances: [world.dark("tokyo")], excludePct: 5, confidencePct: 99, deadlineMs: 20_000 },
      FOREVER,
    );
    expect(result).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(/^amend on tokyo-new \(gateway@2\.0\): \d+ of \d+ failed, mostly 50026$/) as string,
    });
    expect(world.verdicts.at(-1)?.state).toBe("healthy");
    expect(world.pulses.at(-1)?.failed).toBe(0);
  });

  test("that nobody can reach is refuted", async () => {
    const { watcher, venue: world } = await watch();
    const dark = world.dark("tokyo");
    world.server("tokyo").kill("tokyo-new");
    expect(
      await watcher.prove(
        { id: "p", instances: [dark], excludePct: 5, confidencePct: 99, deadlineMs: 20_000 },
        FOREVER,
      ),
    ).toMatchObject({ kind: "refuted", reason: expect.stringContaining("refused") as string });
  });

  test("in traffic is suspected, and failing once more failures confirm it", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    world.server("tokyo").fault([{ operation: "amend", instances: ["tokyo-new"], share: 1 / 3, how: SYSTEM_ERROR }]);
    const at = Date.now();
    world.admit("tokyo");
    const suspect = await world.until("suspect");
    expect(suspect.at - at).toBeLessThan(3_000);
    expect(suspect.reason).toMatch(
      /^amend in tokyo on gateway@2\.0: \d+ of \d+ failed \(50026\), 0 of \d+ on gateway@1\.0/,
    );
    expect(suspect.regions).toEqual(["tokyo"]);
    world.withdraw("tokyo");
    expect((await world.until("failing")).regions).toEqual(["tokyo"]);
  });

  test("that fails users only is seen in the counters, and probes that pass do not clear it", async () => {
    const { venue: world } = await watch({ guard: { suspectForMs: 3_000 } });
    await world.until("healthy");
    world
      .server("tokyo")
      .fault([{ operation: "amend", instances: ["tokyo-new"], share: 1 / 2, who: "users", how: SYSTEM_ERROR }]);
    world.admit("tokyo");
    await world.until("suspect");
    world.withdraw("tokyo");
    const failing = await world.until("failing");
    expect(failing.reason).toMatch(/has not cleared within 3 s$/);
    const lost = world.pulses.at(-1)?.failures ?? [];
    expect(
      lost.every(
        ({ operation, release, code }) => operation === "amend" && release === "gateway@2.0" && code === "50026",
      ),
    ).toBe(true);
    expect(lost.length).toBeGreaterThan(0);
  });

  test("that refuses the keys of probes is failing by its share of refusals, also where no counters are read", async () => {
    const { venue: world } = await watch({ hasCounters: false });
    await world.until("healthy");
    world.server("tokyo").fault([{ instances: ["tokyo-new"], how: { code: "50113", http: 401 } }]);
    world.admit("tokyo");
    const failing = await world.until("failing", 30_000);
    expect(failing.reason).toMatch(/^.* in tokyo: \d+ of \d+ were refused on gateway@2\.0, 0 of \d+ on gateway@1\.0$/);
    expect(world.verdicts.some(({ state }) => state === "suspect")).toBe(false);
  });

  test("that acknowledges amends and does nothing is refuted, because the order's state does not show them", async () => {
    const { watcher, venue: world } = await watch();
    world.server("tokyo").fault([{ operation: "amend", instances: ["tokyo-new"], how: "ignore" }]);
    const result = await watcher.prove(
      { id: "p", instances: [world.dark("tokyo")], excludePct: 5, confidencePct: 99, deadlineMs: 20_000 },
      FOREVER,
    );
    expect(result).toMatchObject({
      kind: "refuted",
      reason: expect.stringMatching(/amend on tokyo-new .*not shown/) as string,
    });
  });

  test("that hangs is refuted by the deadline", async () => {
    const { watcher, venue: world } = await watch();
    world.server("tokyo").fault([{ instances: ["tokyo-new"], how: "hang" }]);
    expect(
      await watcher.prove(
        { id: "p", instances: [world.dark("tokyo")], excludePct: 5, confidencePct: 99, deadlineMs: 20_000 },
        FOREVER,
      ),
    ).toMatchObject({ kind: "refuted", reason: expect.stringContaining("timeout") as string });
  });
});

describe("metadata that breaks a cohort", () => {
  test("is failing at once, and the sentence names the cohorts", async () => {
    const { watcher, venue: world } = await watch();
    await world.until("healthy");
    const servers = ["tokyo", "frankfurt"].map((region) => world.server(region));
    for (const server of servers) server.rest(true);
    const seen = world.pulses.length;
    await eventually(
      () => (world.pulses.length > seen + 5 ? true : undefined),
      5_000,
      () => "five pulses",
    );
    const at = Date.now();
    // A step is marked before it touches anything: what fails from now on cannot have failed before it.
    watcher.mark({ id: "m", cause: { kind: "metadata", component: "orders-db" } });
    for (const server of servers) {
      server.fault([{ cohorts: ["shard-3", "shard-7"], how: SYSTEM_ERROR }]);
      server.rest(false);
    }
    const failing = await world.until("failing");
    expect(failing.at - at).toBeLessThan(3_000);
    expect(failing.reason).toMatch(
      /^(shard-3|shard-7|shard-3, shard-7): .* fails? \(\d+ of \d+, 50026\) after metadata orders-db$/,
    );
  });
});

describe("trouble that is not the release's", () => {
  test("a region whose servers die is disturbed, although an upgrade goes on there, and healthy again when it answers", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    world.admit("tokyo");
    for (const id of ["tokyo-0", "tokyo-1", "tokyo-2", "tokyo-new"]) world.server("tokyo").kill(id);
    const disturbed = await world.until("disturbed");
    expect(disturbed.regions).toEqual(["tokyo"]);
    expect(disturbed.reason).toMatch(/^tokyo: all 4 instances are out of reach/);
    expect(world.verdicts.some(({ state }) => state === "suspect" || state === "failing")).toBe(false);
  });

  test("old instances that fail as well are disturbed, and health needs evidence again", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    world.admit("tokyo");
    for (const region of ["tokyo", "frankfurt"]) world.server(region).fault([{ share: 0.5, how: SYSTEM_ERROR }]);
    await world.until("disturbed");
    for (const region of ["tokyo", "frankfurt"]) world.server(region).fault([]);
    await world.until("healthy");
    expect(world.verdicts.some(({ state }) => state === "failing")).toBe(false);
  });
});

describe("no data is never healthy", () => {
  test("counters that turn into a page are unknown, with what was found", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    world.server("tokyo").metricsAs(() => "<html><body>gone</body></html>");
    expect((await world.until("unknown")).reason).toMatch(
      /counters of tokyo-\d in tokyo cannot be read: line 1 is no counter/,
    );
  });

  test("a counter that starts again is a missing bin and no failure", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    const before = world.pulses.length;
    world.server("tokyo").restartCounters("tokyo-0");
    await eventually(
      () => (world.pulses.length > before + 10 ? true : undefined),
      5_000,
      () => "ten pulses",
    );
    expect(world.verdicts.at(-1)?.state).toBe("healthy");
    expect(world.pulses.at(-1)?.failed).toBe(0);
  });

  test("probes whose keys are refused are unknown, and nobody is blamed", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    for (const region of ["tokyo", "frankfurt"])
      world.server(region).fault([{ who: "probes", how: { code: "50113", http: 401 } }]);
    expect((await world.until("unknown")).reason).toMatch(/no outcome of .* probes are refused with 50113/);
  });
});

describe("probe orders", () => {
  test("of an earlier run are cancelled at the start", async () => {
    const watcher = guardThread();
    venue = await watchedVenue(watcher, REGIONS);
    const [account] = probeAccounts("tokyo");
    if (account === undefined) throw new Error("no account");
    venue.server("tokyo").leave(account, `${PREFIX}old1`);
    venue.server("tokyo").leave(account, "somebodyelse");
    await venue.start();
    await watcher.stop();
    expect(venue.server("tokyo").openOrders()).toBe(1);
  });

  test("are covered by the venue's dead-man switch while the guard runs", async () => {
    const { venue: world } = await watch();
    await world.until("healthy");
    expect(world.server("tokyo").switches()).toBe(10);
  });
});

test("the guard judges while the main thread is held up: the verdict says when it was reached", async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, "processes", "okx-venue.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const watcher = guardThread();
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { config, instances } = JSON.parse(line.toString()) as {
      readonly config: WatchConfig;
      readonly instances: readonly WatchedInstance[];
    };
    const verdicts: Verdict[] = [];
    await watcher.start(config, { verdict: (verdict) => void verdicts.push(verdict), pulse: () => undefined });
    watcher.instances(instances);
    await watcher.evidence({ excludePct: 5, confidencePct: 99 }, FOREVER);
    watcher.mark({ id: "m", cause: { kind: "metadata", component: "orders-db" } });
    child.stdin.write(`${JSON.stringify([{ how: SYSTEM_ERROR }])}\n`);
    // The line has to leave this process before it stands still.
    await new Promise((resolve) => setImmediate(resolve));
    const from = Date.now();
    while (Date.now() - from < 2_500);
    const failing = await eventually(
      () => verdicts.find(({ state }) => state === "failing"),
      2_000,
      () => JSON.stringify(verdicts),
    );
    expect(failing.at - from).toBeLessThan(1_500);
  } finally {
    await watcher.stop();
    child.kill();
  }
});
