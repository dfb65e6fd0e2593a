import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { fileLease } from "../../src/adapters/file/lease.ts";
import { turnsIn } from "../../src/adapters/file/turns.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";

const KEY = "production/gateway";
const { signal } = new AbortController();
const times = { renewEveryMs: 150, giveUpAfterMs: 1_200, lostAfterMs: 1_500 };

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "midflight-lease-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }));
  return dir;
}
const leaseIn = (dir: string, machine?: string) =>
  fileLease({ dir: join(dir, "leases"), clock: systemClock, times, ...(machine === undefined ? {} : { machine }) });
const me = (run: string, host = "test") => ({ run, host, pid: process.pid });

/** A process of its own that holds the lease; `told` is what it said so far. */
async function holder(dir: string, machine: string, run: string) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("processes/hold-lease.ts", import.meta.url)), join(dir, "leases"), machine, run],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const told: string[] = [];
  child.stdout
    .setEncoding("utf8")
    .on("data", (text: string) => told.push(...text.split("\n").filter((line) => line !== "")));
  const ended = once(child, "close");
  cleanups.push(() => void (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")));
  await until(() => told.length > 0, "the lease is held");
  return { child, told, ended, epoch: Number(told[0]?.split(" ")[1]) };
}

/** Resolves when it holds; a bound, not a pause. */
async function until(holds: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("a conductor on another machine that stands still is taken over, and notices when it goes on", async () => {
  const dir = await folder();
  const first = await holder(dir, "machine A", "r1");
  first.child.kill("SIGSTOP");
  const lease = leaseIn(dir, "machine B");
  const started = performance.now();
  const second = await lease.acquire([KEY], me("r2"), signal);
  expect(performance.now() - started).toBeGreaterThanOrEqual(times.lostAfterMs - 5);
  expect(second.epoch).toBeGreaterThan(first.epoch);
  expect(first.told).toEqual([`held ${first.epoch}`]);
  first.child.kill("SIGCONT");
  await until(() => first.told.length > 1, "the first notices");
  expect(first.told[1]).toMatch(/^lost UpgradeError: run r1 lost its lease/);
  // Giving back what it lost takes nothing from its successor.
  first.child.stdin.end();
  await first.ended;
  expect(first.told.at(-1)).toBe("released");
  expect(await lease.holder(KEY)).toMatchObject({ run: "r2" });
  expect(second.lost.aborted).toBe(false);
  await second.release();
});

test("a conductor on another machine that renews is left alone, whatever its wall clock says", async () => {
  const dir = await folder();
  const first = await holder(dir, "machine A", "r1");
  const lateClock = { ...systemClock, now: () => Date.now() + 86_400_000 };
  const lease = fileLease({ dir: join(dir, "leases"), clock: lateClock, times, machine: "machine B" });
  await expect(lease.acquire([KEY], me("r2"), signal)).rejects.toMatchObject({
    code: "LEASE_HELD",
    message: expect.stringContaining(`held by run r1`),
  });
  expect(first.told).toEqual([`held ${first.epoch}`]);
  first.child.stdin.end();
  await first.ended;
  const second = await lease.acquire([KEY], me("r2"), signal);
  expect(second.epoch).toBeGreaterThan(first.epoch);
  await second.release();
});

test("a conductor on this machine that stands still is alive, and is not taken over", async () => {
  const dir = await folder();
  const first = await holder(dir, "", "r1");
  first.child.kill("SIGSTOP");
  await expect(leaseIn(dir).acquire([KEY], me("r2"), signal)).rejects.toMatchObject({
    code: "LEASE_HELD",
    message: expect.stringContaining(`pid ${first.child.pid}`),
  });
});

test("a conductor that stood still for too long gives up by itself, though nobody took over", async () => {
  const dir = await folder();
  const first = await holder(dir, "", "r1");
  first.child.kill("SIGSTOP");
  const stopped = performance.now();
  await until(() => performance.now() - stopped > times.giveUpAfterMs, "longer than it may be silent");
  first.child.kill("SIGCONT");
  await until(() => first.told.length > 1, "it notices");
  expect(first.told[1]).toContain("it was not renewed for");
});

test("a conductor that was killed is taken over at once by one on the same machine", async () => {
  const dir = await folder();
  const first = await holder(dir, "", "r1");
  first.child.kill("SIGKILL");
  await first.ended;
  const lease = fileLease({
    dir: join(dir, "leases"),
    clock: { ...systemClock, sleep: () => Promise.reject(new Error("nothing is to be waited for")) },
  });
  const second = await lease.acquire([KEY], me("r2"), signal);
  expect(second.epoch).toBe(first.epoch + 1);
});

test("another process under the pid of a dead holder is not mistaken for it", async () => {
  const dir = await folder();
  const lease = leaseIn(dir);
  const first = await lease.acquire([KEY], me("r1"), signal);
  await first.release();
  const claim = { id: "x", epoch: 8, holder: { ...me("r0"), since: 0 }, machine: "", started: "long ago" };
  // The same machine and a living pid, but a process that started at another time.
  const mine = JSON.parse(await readFile(join(dir, "leases", encodeURIComponent(KEY), "1.json"), "utf8"));
  await writeFile(
    join(dir, "leases", encodeURIComponent(KEY), "2.json"),
    JSON.stringify({ ...claim, machine: mine.machine }),
  );
  const second = await lease.acquire([KEY], me("r2"), signal);
  expect(second.epoch).toBe(9);
  await second.release();
});

test("a lease whose files are removed or whose disk fails is lost, not forgotten", async () => {
  const dir = await folder();
  const removed = await leaseIn(dir).acquire([KEY], me("r1"), signal);
  await rm(join(dir, "leases"), { recursive: true, maxRetries: 5, retryDelay: 20 });
  await until(() => removed.lost.aborted, "the loss is noticed");
  expect(removed.lost.reason).toMatchObject({ code: "LEASE_LOST" });
  await removed.release();

  const failing = await leaseIn(dir).acquire([KEY], me("r2"), signal);
  await rm(join(dir, "leases"), { recursive: true, maxRetries: 5, retryDelay: 20 });
  await writeFile(join(dir, "leases"), "a file where the folder was");
  await until(() => failing.lost.aborted, "the failure is noticed");
  expect(failing.lost.reason).toMatchObject({ code: "LEASE_LOST" });
});

test("a damaged lease is refused with its file, because a lower epoch would be refused by everything", async () => {
  const dir = await folder();
  const lease = leaseIn(dir);
  await (await lease.acquire([KEY], me("r1"), signal)).release();
  const file = join(dir, "leases", encodeURIComponent(KEY), "1.json");
  await writeFile(file, "{");
  await expect(lease.acquire([KEY], me("r2"), signal)).rejects.toMatchObject({
    code: "LEASE_CORRUPT",
    message: expect.stringContaining(file),
  });
});

test("a long-lived lease keeps few files", async () => {
  const dir = await folder();
  const lease = leaseIn(dir);
  for (let round = 0; round < 5; round += 1) await (await lease.acquire([KEY], me(`r${round}`), signal)).release();
  const files = await readdir(join(dir, "leases", encodeURIComponent(KEY)));
  expect(files.filter((name) => name.endsWith(".json"))).toEqual(["5.json"]);
  expect(files.length).toBeLessThanOrEqual(3);
});

test("waiting for a silent holder ends when the run is called off", async () => {
  const dir = await folder();
  const first = await holder(dir, "machine A", "r1");
  first.child.kill("SIGSTOP");
  const calledOff = new AbortController();
  const waiting = leaseIn(dir, "machine B").acquire([KEY], me("r2", hostname()), calledOff.signal);
  calledOff.abort(new Error("called off"));
  await expect(waiting).rejects.toThrow("called off");
  expect(await leaseIn(dir, "machine B").holder(KEY)).toMatchObject({ run: "r1" });
});

test("conductors whose state lies apart meet where both take the lease besides, and share its epoch", async () => {
  const dir = await folder();
  const besides = (key: string) => [
    { turns: turnsIn(join(dir, "shared", encodeURIComponent(key))), times, isVital: false },
  ];
  const leaseOf = (name: string) => fileLease({ dir: join(dir, name), clock: systemClock, times, besides });
  const first = await leaseOf("a").acquire([KEY], me("r1"), signal);
  await expect(leaseOf("b").acquire([KEY], me("r2"), signal)).rejects.toMatchObject({
    code: "LEASE_HELD",
    message: expect.stringContaining("held by run r1"),
  });
  expect(await fileLease({ dir: join(dir, "b"), clock: systemClock, times }).holder(KEY)).toBeUndefined();
  await first.release();
  const second = await leaseOf("b").acquire([KEY], me("r2"), signal);
  expect(second.epoch).toBeGreaterThan(first.epoch);
  expect(await leaseOf("a").holder(KEY)).toMatchObject({ run: "r2" });
  await second.release();
  const third = await leaseOf("a").acquire([KEY], me("r3"), signal);
  expect(third.epoch).toBeGreaterThan(second.epoch);
  await third.release();
});
