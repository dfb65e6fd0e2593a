import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startWatch } from "../../src/adapters/guard-thread/watch.ts";
import type { Watcher } from "../../src/ports/watcher.ts";
import { eventually, watchedVenue, type WatchedVenue } from "../fakes/watched-venue.ts";

const REGIONS = [
  { region: "tokyo", old: 2, usersPerSec: 100 },
  { region: "frankfurt", old: 2, usersPerSec: 100 },
];
const HOUR_MS = 3_600_000;

let venue: WatchedVenue | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await venue?.close();
  venue = undefined;
});

/** What runs in the guard's thread, in this one: so that its wall clock can be set. */
const watchHere = (): Watcher => {
  let heard: Parameters<Watcher["start"]>[1] | undefined;
  const watch = startWatch((message) => {
    if (message.kind === "verdict") heard?.verdict(message.verdict);
    if (message.kind === "pulse") heard?.pulse(message.pulse);
  });
  const unasked = (): Promise<never> => Promise.reject(new Error("not asked here"));
  return {
    start(config, on) {
      heard = on;
      return watch.handle({ kind: "start", config });
    },
    instances: (instances) => void watch.handle({ kind: "instances", instances }),
    mark: (mark) => void watch.handle({ kind: "mark", mark }),
    evidence: unasked,
    prove: unasked,
    stop: () => watch.handle({ kind: "stop" }),
  };
};

describe("a wall clock that is set", () => {
  test.each([
    { name: "an hour forth", byMs: HOUR_MS },
    { name: "an hour back", byMs: -HOUR_MS },
  ])("$name changes no verdict, and harm is still found at once and dated right", async ({ byMs }) => {
    const watcher = watchHere();
    const world = await watchedVenue(watcher, REGIONS);
    venue = world;
    await world.start();
    await world.until("healthy");
    const before = world.pulses.at(-1)?.at ?? 0;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + byMs, shouldAdvanceTime: false });
    const told = world.pulses.length;
    await eventually(
      () => (world.pulses.length >= told + 10 ? true : undefined),
      10_000,
      () => "ten pulses",
    );
    expect(world.verdicts.map(({ state }) => state)).toEqual(["healthy"]);
    const since = (world.pulses.at(-1)?.at ?? 0) - before;
    expect(since).toBeGreaterThan(0);
    expect(since).toBeLessThan(60_000);
    for (const { region } of REGIONS) world.server(region).fault([{ how: { code: "50026", http: 500 } }]);
    watcher.mark({ id: "m", cause: { kind: "metadata", component: "orders-db" } });
    const failing = await world.until("failing");
    expect(failing.at - before).toBeLessThan(60_000);
  });
});

test("a guard that was suspended for five seconds says unknown, blames nobody, and finds its way back", async () => {
  const nobody: Watcher = {
    start: () => Promise.resolve(),
    instances: () => undefined,
    mark: () => undefined,
    evidence: () => Promise.reject(new Error("not asked here")),
    prove: () => Promise.reject(new Error("not asked here")),
    stop: () => Promise.resolve(),
  };
  const world = await watchedVenue(nobody, REGIONS);
  venue = world;
  const child = spawn(process.execPath, [join(import.meta.dirname, "processes", "watch-verdicts.ts")], {
    env: { ...process.env, WATCH: JSON.stringify({ config: world.config, instances: world.before }) },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  try {
    const lines: string[] = [];
    createInterface({ input: child.stdout }).on("line", (line) => void lines.push(line));
    const until = (begin: string, from = 0): Promise<true> =>
      eventually(
        () => (lines.slice(from).some((line) => line.startsWith(begin)) ? true : undefined),
        30_000,
        () => `${begin} after ${JSON.stringify(lines)}`,
      );
    await until("watching");
    const known = lines.length;
    child.kill("SIGSTOP");
    const at = performance.now();
    await eventually(
      () => (performance.now() - at > 5_000 ? true : undefined),
      30_000,
      () => "five seconds",
    );
    child.kill("SIGCONT");
    await until("unknown", known);
    await until("healthy", known);
    // It may be unknown in more regions bit by bit.
    const states = lines.slice(known).map((line) => line.split(" ")[0]);
    expect(states.at(-1)).toBe("healthy");
    expect(new Set(states.slice(0, -1))).toEqual(new Set(["unknown"]));
    expect(lines[known]).toMatch(/^unknown no outcome of \w+ in \w+ for \d\.\d s/);
  } finally {
    child.kill("SIGKILL");
    await closed;
  }
});
