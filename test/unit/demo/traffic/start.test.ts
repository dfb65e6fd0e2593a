import { once } from "node:events";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Outcome } from "../../../../src/demo/traffic/outcome.ts";
import { startTraffic } from "../../../../src/demo/traffic/start.ts";
import type { Traffic } from "../../../../src/demo/traffic/start.ts";
import type { TrafficOptions } from "../../../../src/demo/traffic/config.ts";
import { createFakeVenue } from "../../../fakes/fake-venue.ts";
import type { FakeVenue } from "../../../fakes/fake-venue.ts";

const uids = Array.from({ length: 20 }, (_, index) => String(1000 + index));
let venue: FakeVenue;
let outcomes: Outcome[];
let traffic: Traffic | undefined;

beforeEach(async () => {
  venue = await createFakeVenue(uids, "keys");
  outcomes = [];
  traffic = undefined;
});

afterEach(async () => {
  await traffic?.stop();
  await venue.close();
});

const start = async (more: Partial<TrafficOptions> = {}): Promise<Traffic> => {
  const options = {
    regions: venue.regions,
    keySeed: "keys",
    uids,
    ratePerSec: 150,
    seed: 3,
    plantedFailureRate: 0,
    maxSeconds: 30,
    ...more,
  };
  traffic = await startTraffic(options, { onOutcome: (outcome) => outcomes.push(outcome) });
  return traffic;
};

/** Polls; rejects after 10 s. */
const until = async (what: string, isSo: () => boolean): Promise<void> => {
  for (const end = Date.now() + 10_000; !isSo();) {
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
};
const operations = (count: number): Promise<void> => {
  const from = outcomes.length;
  return until(`${count} operations`, () => outcomes.length >= from + count);
};

test("against a healthy venue nothing fails and nothing is lost, over REST and WebSocket in both regions", async () => {
  const running = await start();
  await operations(200);
  const summary = await running.stop();
  expect(summary).toMatchObject({
    failed: 0,
    ambiguous: 0,
    planted: 0,
    lost: 0,
    unchecked: 0,
    leverageLost: 0,
    left: 0,
    firstFailedAt: null,
  });
  expect(Object.keys(summary.byKind)).toEqual(["amend", "cancel", "order"]);
  expect(Object.keys(summary.byRegion)).toEqual(["frankfurt", "tokyo"]);
  expect(Object.keys(summary.byProtocol)).toEqual(["rest", "ws"]);
  expect(Object.keys(summary.byRelease)).toEqual(["1.0"]);
  expect([...venue.orders.values()].filter((order) => order.state === "live")).toEqual([]);
});

test.each(["rest", "ws"] as const)("one failure of the venue over %s is noticed", async (protocol) => {
  let isDone = false;
  venue.fault = (operation) => {
    if (isDone || operation.count < 50 || operation.protocol !== protocol) return undefined;
    isDone = true;
    return { code: "50026", http: 500 };
  };
  const running = await start();
  await until("the fault", () => isDone);
  await operations(30);
  const summary = await running.stop();
  expect(summary).toMatchObject({ failed: 1, ambiguous: 0, planted: 0, failedByCode: { "50026": 1 }, lost: 0 });
  expect(summary.firstFailedAt).toBe(outcomes.find((outcome) => outcome.class === "failed")?.at);
  expect(summary.ambiguousResolved).toEqual({ landed: 0, notLanded: 1, unknown: 0 });
});

test("one lost order is noticed, whatever was done with it before", async () => {
  await start({ seed: 4 });
  await operations(100);
  const [dropped] = [...venue.orders.values()].filter((order) => order.state === "live");
  venue.orders.delete(dropped?.ordId ?? "");
  const summary = await traffic?.stop();
  expect(summary?.lost).toBe(1);
  expect(summary?.lostOrders).toMatchObject([
    { ordId: dropped?.ordId, clOrdId: dropped?.clOrdId, uid: dropped?.uid, reason: "missing", found: "unknown" },
  ]);
});

test("an order that is acknowledged and never kept is lost", async () => {
  let isDone = false;
  venue.fault = ({ kind, count }) => {
    if (isDone || kind !== "order" || count < 40) return undefined;
    isDone = true;
    return "pretend";
  };
  await start();
  await until("the fault", () => isDone);
  await operations(100);
  const summary = await traffic?.stop();
  expect(summary).toMatchObject({ lost: 1, lostOrders: [{ reason: "missing" }] });
});

test("a cancelled order that comes to life again, and an amend that is undone, are lost", async () => {
  await start();
  await operations(200);
  const cancelled = [...venue.orders.values()].find((order) => order.cancelSource === "1");
  const live = [...venue.orders.values()].find((order) => order.state === "live" && order !== cancelled);
  if (cancelled === undefined || live === undefined) throw new Error("the users neither cancelled nor kept an order");
  Object.assign(cancelled, { state: "live", cancelSource: "" });
  live.px = "1";
  const summary = await traffic?.stop();
  expect(summary?.lostOrders.map(({ reason }) => reason).toSorted()).toEqual(["cancel-undone", "values-wrong"]);
});

test.each(["amend", "cancel"] as const)("%s acknowledged and not done is a failure", async (kind) => {
  let isDone = false;
  venue.fault = (operation) => {
    if (isDone || operation.kind !== kind) return undefined;
    isDone = true;
    return "pretend";
  };
  await start();
  await until("the failure", () => outcomes.some((outcome) => outcome.code === "state-wrong"));
  const summary = await traffic?.stop();
  expect(summary).toMatchObject({ failed: 1, stateWrong: 1, failedByCode: { "state-wrong": 1 }, lost: 1 });
});

test.each(["rest", "ws"] as const)(
  "a missed deadline over %s counts at once, and its order is asked for",
  async (protocol) => {
    let isDone = false;
    venue.fault = (operation) => {
      if (isDone || operation.protocol !== protocol) return undefined;
      isDone = true;
      return "silent";
    };
    await start({ deadlineMs: 120 });
    await until("the missed deadline", () => outcomes.some((outcome) => outcome.code === "timeout"));
    const late = outcomes.find((outcome) => outcome.code === "timeout");
    expect(late).toMatchObject({ class: "ambiguous", protocol });
    expect(late?.ms).toBeGreaterThanOrEqual(119);
    const summary = await traffic?.stop();
    expect(summary).toMatchObject({ failed: 1, ambiguous: 1, lost: 0, ambiguousResolved: { landed: 0, notLanded: 1 } });
  },
);

test("the users' own failures are counted apart, and lose nothing", async () => {
  await start({ plantedFailureRate: 0.15 });
  await operations(300);
  const summary = await traffic?.stop();
  expect(summary).toMatchObject({ failed: 0, ambiguous: 0, lost: 0, left: 0, firstFailedAt: null });
  expect(summary?.planted).toBeGreaterThan(10);
  expect(Object.keys(summary?.plantedByCode ?? {}).toSorted()).toEqual(["closed-port", "cut", "impatient"]);
});

test("the seeded noise of a healthy gateway is counted apart", async () => {
  venue.fault = ({ count }) => (count % 40 === 0 ? "noise" : undefined);
  await start();
  await operations(100);
  const summary = await traffic?.stop();
  expect(summary).toMatchObject({ failed: 0, lost: 0 });
  expect(summary?.plantedByCode["50013"]).toBeGreaterThan(0);
});

test("when a region dies its users go to the other one, and come home when it serves again", async () => {
  await start();
  await operations(50);
  await venue.kill("tokyo");
  const diedAt = Date.now();
  await operations(150);
  const soon = outcomes.filter((outcome) => outcome.at > diedAt + 500);
  expect(soon.length).toBeGreaterThan(0);
  expect(soon.filter((outcome) => outcome.class !== "ok" && outcome.region === "frankfurt")).toEqual([]);
  await venue.revive("tokyo");
  await until("users at home in tokyo", () =>
    outcomes.slice(-20).some((outcome) => outcome.region === "tokyo" && outcome.class === "ok"),
  );
  await until("sockets at home in tokyo", () => venue.sockets("tokyo") > 0);
  const summary = await traffic?.stop();
  expect(summary?.lost).toBe(0);
  // Each of tokyo's ten users notices once, and what was in flight; nobody runs into the dead region again and again.
  expect(summary?.failed).toBeLessThanOrEqual(25);
});

test("a region that hangs loses its users after two missed deadlines each, and gets them back when it answers", async () => {
  await start({ deadlineMs: 100, stateDeadlineMs: 500 });
  await operations(50);
  venue.mute("tokyo", true);
  const mutedAt = Date.now();
  await operations(150);
  await until("everybody in frankfurt", () =>
    outcomes.slice(-30).every((outcome) => outcome.region === "frankfurt" && outcome.class === "ok"),
  );
  venue.mute("tokyo", false);
  await until("users at home in tokyo", () =>
    outcomes.slice(-20).some((outcome) => outcome.region === "tokyo" && outcome.class === "ok"),
  );
  const summary = await traffic?.stop();
  expect(summary?.lost).toBe(0);
  expect(summary?.firstFailedAt).toBeGreaterThanOrEqual(mutedAt - 110);
  // Ten users are at home there: two deadlines each, and what was in flight.
  expect(summary?.failed).toBeLessThanOrEqual(40);
});

test("a notice moves the users' sockets before they are closed, and no operation fails", async () => {
  await start({ wsShare: 1 });
  await operations(30);
  const before = venue.sockets("tokyo");
  venue.notice("tokyo");
  await until("second sockets", () => venue.dialled("tokyo") === 2 * before);
  await until("the old sockets left", () => venue.sockets("tokyo") === before);
  await operations(50);
  expect(venue.fewestSockets("tokyo")).toBe(before);
  expect(await traffic?.stop()).toMatchObject({ failed: 0, lost: 0 });
});

test("marks divide the run into windows with their own counts and latencies", async () => {
  await start();
  traffic?.mark("before");
  await operations(50);
  traffic?.mark("during");
  await operations(50);
  const windows = (await traffic?.stop())?.windows ?? [];
  expect(windows.map(({ name }) => name)).toEqual(["before", "during"]);
  expect(windows[0]?.ops).toBeGreaterThanOrEqual(49);
  expect(windows[1]?.latency.p99).toBeGreaterThan(0);
  expect(windows[0]?.to).toBe(windows[1]?.from);
});

test("as a process it reports lines, obeys lines, and ends when its parent is gone", async () => {
  const config = { regions: venue.regions, keySeed: "keys", uids, ratePerSec: 100, reportEveryMs: 100 };
  const child = spawn(process.execPath, ["src/demo/traffic/main.ts"], {
    env: { ...process.env, TRAFFIC: JSON.stringify(config) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: { kind: string; windows?: { name: string }[]; operations?: number }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line) as (typeof lines)[number]));
  const exit = once(child, "exit");
  await until("reports", () => lines.filter(({ kind }) => kind === "traffic").length > 2);
  child.stdin.write('{"do":"mark","name":"late"}\n');
  await until("more reports", () => lines.filter(({ kind }) => kind === "traffic").length > 5);
  child.stdin.end();
  expect(await exit).toEqual([0, null]);
  const summary = lines.at(-1);
  expect(summary).toMatchObject({ kind: "traffic-summary", windows: [{ name: "late" }], failed: 0, lost: 0 });
  expect(summary?.operations).toBeGreaterThan(0);
});

test("a venue that does not answer is named", async () => {
  await venue.kill("tokyo");
  await venue.kill("frankfurt");
  await expect(start({ startWithinMs: 300 })).rejects.toMatchObject({ code: "VENUE_UNREACHABLE" });
});

test("a configuration with mistakes is refused with all of them", async () => {
  const mistaken = startTraffic({ regions: venue.regions, keySeed: "keys", uids: [], ratePerSec: -1 });
  await expect(mistaken).rejects.toMatchObject({
    code: "VENUE_CONFIG",
    message: expect.stringMatching(/uids.*ratePerSec/) as string,
  });
});
