import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROBE_UIDS } from "../../src/demo/venue/accounts.ts";
import { connectEngine } from "../../src/demo/venue/engine/client.ts";
import { midflight, start, type Ended } from "../support/cli.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

let place: SmallVenue;
beforeAll(async () => {
  place = await startSmallVenue({ name: "guard" });
}, 120_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);

const call = (...args: readonly string[]): Promise<Ended> =>
  midflight(["guard", ...args], { cwd: place.dir, env: place.env, limitMs: 60_000 });
const jsonLines = (text: string): readonly Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const verdictsIn = (text: string) =>
  jsonLines(text)
    .filter(({ kind }) => kind === "verdict")
    .map(({ at, state, reason }) => `${String(at)} ${String(state)} ${String(reason)}`);

describe("midflight guard", () => {
  test("watches users' operations, ends by itself, and what it recorded is judged alike again", async () => {
    const watched = await call("--env", "production", "--for", "8s", "--record", "seen.ndjson", "--json");
    expect(watched.stderr).toBe("");
    expect(watched.status).toBe(0);
    const summary = jsonLines(watched.stdout).at(-1);
    expect(summary).toMatchObject({ kind: "guard-summary", environment: "production", isHealthy: true });
    expect(verdictsIn(watched.stdout).some((verdict) => verdict.includes(" healthy "))).toBe(true);
    const again = await call("--replay", "seen.ndjson", "--json");
    expect(again.status).toBe(0);
    expect(verdictsIn(again.stdout)).toEqual(verdictsIn(watched.stdout));
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ kind: "replay-summary" });
  }, 60_000);

  test("is ended by Ctrl-C, tells what it saw, and leaves no order behind", async () => {
    const running = start(["guard", "--env", "production"], { cwd: place.dir, env: place.env, limitMs: 60_000 });
    await running.says(/healthy/, 30_000);
    process.kill(running.pid, "SIGINT");
    const { status, stdout } = await running.ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(/watched for .*healthy/);
    expect(stdout).toMatch(/amend +tokyo +gateway@1.0 +live +0 of +[1-9]/);
    expect(await openProbeOrders()).toBe(0);
  }, 60_000);

  test("says what it sees while servers die, and does not end well then", async () => {
    const running = start(["guard", "--env", "production", "--for", "20s"], {
      cwd: place.dir,
      env: place.env,
      limitMs: 60_000,
    });
    await running.says(/healthy/, 30_000);
    const pids = await place.estate.pids("tokyo");
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await running.says(/disturbed/, 20_000);
    process.kill(running.pid, "SIGTERM");
    const { status, stdout } = await running.ended;
    await place.estate.restore("tokyo");
    expect([status, /disturbed \d/.test(stdout)]).toEqual([5, true]);
  }, 60_000);

  test("takes the counts of a program, sees nothing once that hangs, and its recording is judged alike", async () => {
    const operations = '["order", "amend", "cancel"]';
    writeFileSync(
      join(place.dir, "count.mjs"),
      `let round = 0;
       setInterval(() => {
         if (round++ > 40) return;
         for (const region of ["tokyo", "frankfurt"])
           for (const operation of ${operations}) console.log(JSON.stringify({ operation, region, count: 20 }));
         console.log("{}");
       }, 100);`,
    );
    const sourced = join(dirname(place.environment), "sourced.yaml");
    const counted = readFileSync(place.environment, "utf8").replace(/^ *counters:.*\n/m, "");
    writeFileSync(sourced, `${counted}sources:\n  - command: [node, count.mjs]\n    silentAfter: 2s\n`);
    const watched = await call("--env", sourced, "--for", "12s", "--record", "sourced.ndjson", "--json");
    expect(watched.stderr).toBe("");
    expect(watched.status).toBe(5);
    expect(verdictsIn(watched.stdout).some((verdict) => verdict.includes(" healthy "))).toBe(true);
    expect(verdictsIn(watched.stdout).at(-1)).toMatch(
      / unknown what users see is not known: `node count\.mjs` has closed no whole bin for 2 s$/,
    );
    const again = await call("--replay", "sourced.ndjson", "--json");
    expect(verdictsIn(again.stdout)).toEqual(verdictsIn(watched.stdout));
  }, 60_000);

  test("judges an incident again by the settings of a plan", async () => {
    const plan = readFileSync(place.plan, "utf8");
    writeFileSync(join(place.dir, "plans", "strict.yaml"), plan);
    const { status, stdout } = await call("--replay", "seen.ndjson", "--plan", "plans/strict.yaml");
    expect([status, stdout.includes("by the settings of plans/strict.yaml")]).toEqual([0, true]);
  });

  const good = (): readonly string[] => readFileSync(join(place.dir, "seen.ndjson"), "utf8").trim().split("\n");

  test("reads a recording whose writer was killed half a line before its end", async () => {
    writeFileSync(join(place.dir, "torn.ndjson"), `${good().slice(0, 50).join("\n")}\n{"kind":"bin","at":17`);
    expect((await call("--replay", "torn.ndjson")).status).toBe(0);
  });

  test.each([
    ["is empty", () => "", "RECORDING_INVALID"],
    ["is no recording", () => "hello\n", "RECORDING_INVALID"],
    ["lacks its first line", () => good().slice(1, 20).join("\n"), "RECORDING_INVALID"],
    ["has a line of no kind", () => [...good().slice(0, 5), '{"kind":"nonsense","at":1}', "{}"].join("\n"), "line 6"],
    [
      "holds a count that is none",
      () => [good()[0], '{"kind":"bin","at":1,"ms":1,"counts":[{}]}', "{}"].join("\n"),
      "line 2",
    ],
  ])("refuses a recording that %s, and says where", async (_, text, says) => {
    writeFileSync(join(place.dir, "bad.ndjson"), text());
    const { status, stderr } = await call("--replay", "bad.ndjson");
    expect([status, stderr.includes(says), /\n\s+at /.test(stderr)]).toEqual([3, true, false]);
  });

  test.each([
    [[], "USAGE"],
    [["--env", "nowhere"], "FILE_UNREADABLE"],
    [["--replay", "no-such-file"], "FILE_UNREADABLE"],
    [["--env", "production", "--for", "soon"], "USAGE"],
  ])("called as `guard %s` says what to do", async (args, says) => {
    const { status, stderr } = await call(...args);
    expect([status, stderr.includes(says)]).toEqual([3, true]);
  });
});

test("a run keeps what its guard was told, and it can be judged again", async () => {
  const upgraded = await midflight(
    [
      "upgrade",
      "plans/small.yaml",
      "--env",
      "production",
      "--yes",
      "--json",
      "--without-certificate",
      "--because",
      "a test",
    ],
    { cwd: place.dir, env: place.env, limitMs: 120_000 },
  );
  expect(upgraded.status).toBe(0);
  const run = String(jsonLines(upgraded.stdout).find(({ run: id }) => id !== undefined)?.["run"]);
  const { status, stdout } = await call("--replay", `plans/.midflight/runs/${run}/guard.ndjson`);
  expect([status, stdout.includes("nothing was held against anybody")]).toEqual([0, true]);
}, 150_000);

/** Orders of the probe accounts that still rest in the venue's book. */
async function openProbeOrders(): Promise<number> {
  const link = connectEngine({ engines: (place.env["VENUE_ENGINES"] ?? "").split(","), name: "test" });
  const pending = await Promise.all(
    [...PROBE_UIDS.tokyo, ...PROBE_UIDS.frankfurt].map((uid) =>
      link.request({ op: "pending", uid, limit: 100 }, { timeoutMs: 2_000 }),
    ),
  );
  link.close();
  return pending.reduce((sum, { orders = [] }) => sum + orders.length, 0);
}
