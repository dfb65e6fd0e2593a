import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { fileRunStore } from "../../src/adapters/file/run-store.ts";

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "midflight-journal-"));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}
const storeIn = (dir: string) => fileRunStore({ dir, clock: { now: Date.now } });
const appender = fileURLToPath(new URL("processes/append-records.ts", import.meta.url));

/** A process that appends until it dies; `acknowledged` is what it told before. */
function append(dir: string, wrap: readonly string[] = []) {
  const [command = process.execPath, ...wrapped] = wrap;
  const own = [appender, dir, "r1"];
  const child = spawn(command, wrap.length === 0 ? own : [...wrapped, process.execPath, ...own], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const told = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (told.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (told.err += text));
  const ended = once(child, "close");
  cleanups.push(() => void (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")));
  return { child, told, ended, acknowledged: () => told.out.split("\n").slice(0, -1).map(Number) };
}

/** Resolves when it holds; a bound, not a pause. */
async function until(holds: () => boolean, what: string, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test("whatever a run acknowledged is there after kill -9, however often it is killed", async () => {
  const dir = await folder();
  let total = 0;
  for (let round = 0; round < 8; round += 1) {
    const { child, told, ended, acknowledged } = append(dir);
    await until(() => acknowledged().length >= 3 + round * 5, `round ${round} appends: ${told.err}`);
    child.kill("SIGKILL");
    await ended;
    const seqs = acknowledged();
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => (seqs[0] ?? 0) + index));
    const kept = (await storeIn(dir).read("r1")).length;
    // At most the one record that was under way is there without having been acknowledged.
    expect(kept).toBeGreaterThanOrEqual(seqs.at(-1) ?? 0);
    expect(kept).toBeLessThanOrEqual((seqs.at(-1) ?? 0) + 1);
    expect(seqs[0]).toBe(total + 1);
    total = kept;
  }
});

test("a torn last line is left alone by a reader and cut by a writer", async () => {
  const dir = await folder();
  const store = storeIn(dir);
  const journal = await store.create("r1");
  await journal.append({ at: 1 });
  await journal.close();
  const path = store.pathOf("r1", "x").replace(/x$/, "journal.ndjson");
  const whole = await readFile(path);
  await appendFile(path, '{"seq":2,"at":2,"fa');
  const torn = await readFile(path);
  expect(await store.read("r1")).toEqual([{ seq: 1, at: 1 }]);
  expect((await readFile(path)).equals(torn)).toBe(true);
  const again = await store.open("r1");
  expect((await readFile(path)).equals(whole)).toBe(true);
  expect(await again.append({ at: 3 })).toEqual({ seq: 2, at: 3 });
  await again.close();
  expect(await store.read("r1")).toHaveLength(2);
});

test("a record that was durable but not anchored is kept, and vouched for from then on", async () => {
  const dir = await folder();
  const store = storeIn(dir);
  const journal = await store.create("r1");
  await journal.append({ at: 1 });
  const behind = await readFile(join(dir, "runs/r1/journal.head"));
  await journal.append({ at: 2 });
  await journal.close();
  await writeFile(join(dir, "runs/r1/journal.head"), behind);
  await (await store.open("r1")).close();
  expect(await store.read("r1")).toHaveLength(2);
  await truncate(join(dir, "runs/r1/journal.ndjson"), 60);
  await expect(store.open("r1")).rejects.toMatchObject({ code: "JOURNAL_CORRUPT" });
});

test.each([
  { name: "cut after its first line", damage: (text: string) => text.slice(0, text.indexOf("\n") + 1), line: 2 },
  { name: "emptied", damage: () => "", line: 1 },
  { name: "edited", damage: (text: string) => text.replace('"at":2', '"at":7'), line: 2 },
])(
  "a journal that was $name is refused by reader and writer with the line, and stays as it is",
  async ({ damage, line }) => {
    const dir = await folder();
    const store = storeIn(dir);
    const journal = await store.create("r1");
    for (const at of [1, 2, 3]) await journal.append({ at });
    await journal.close();
    const path = join(dir, "runs/r1/journal.ndjson");
    const damaged = damage(await readFile(path, "utf8"));
    await writeFile(path, damaged);
    const refusal = { code: "JOURNAL_CORRUPT", message: expect.stringContaining(`line ${line} of ${path}`) };
    await expect(store.read("r1")).rejects.toMatchObject(refusal);
    await expect(store.open("r1")).rejects.toMatchObject(refusal);
    expect(await readFile(path, "utf8")).toBe(damaged);
  },
);

test.each(["journal.head", "journal.ndjson"])(
  "a run without its %s is refused: nothing would prove that no line is missing",
  async (name) => {
    const dir = await folder();
    const store = storeIn(dir);
    const journal = await store.create("r1");
    await journal.append({ at: 1 });
    await journal.close();
    await rm(join(dir, "runs/r1", name));
    await expect(store.read("r1")).rejects.toMatchObject({ code: "JOURNAL_CORRUPT" });
    expect(await readdir(join(dir, "runs/r1"))).toHaveLength(1);
  },
);

test("a conductor whose run was resumed elsewhere loses at its next record", async () => {
  const dir = await folder();
  const suspended = await storeIn(dir).create("r1");
  await suspended.append({ at: 1 });
  const successor = await storeIn(dir).open("r1");
  await successor.append({ at: 2 });
  await expect(suspended.append({ at: 3 })).rejects.toMatchObject({
    code: "JOURNAL_WRITE_FAILED",
    message: expect.stringContaining("somebody else changed"),
  });
  await expect(suspended.append({ at: 4 })).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
  expect(await successor.append({ at: 5 })).toEqual({ seq: 3, at: 5 });
  await Promise.all([suspended.close(), successor.close()]);
  expect((await storeIn(dir).read("r1")).map(({ at }) => at)).toEqual([1, 2, 5]);
});

test("only the owner can read what a run keeps, and nothing temporary stays", async () => {
  const dir = join(await folder(), "deep", "state");
  const store = storeIn(dir);
  const journal = await store.create("r1");
  await journal.append({ at: 1 });
  await store.putFile("r1", "copies/plan.yaml", "midflight: 1");
  await journal.close();
  const modes = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
  for (const path of ["", "runs", "runs/r1", "runs/r1/copies"]) expect(await modes(join(dir, path))).toBe(0o700);
  for (const path of ["journal.ndjson", "journal.head", "copies/plan.yaml"])
    expect(await modes(join(dir, "runs/r1", path))).toBe(0o600);
  expect((await readdir(join(dir, "runs/r1"), { recursive: true })).toSorted()).toEqual([
    "copies",
    "copies/plan.yaml",
    "journal.head",
    "journal.ndjson",
  ]);
});

test("no file beside a journal lies outside its run, or is the journal", async () => {
  const store = storeIn(await folder());
  const journal = await store.create("r1");
  for (const name of ["../r2/x", "/etc/x", "a/../../x", ".", "journal.ndjson", "./journal.head"])
    await expect(store.putFile("r1", name, "x")).rejects.toThrow("is no name for a file");
  await journal.close();
});

test("a state folder that is a file is named, with the user", async () => {
  const dir = join(await folder(), "state");
  await writeFile(dir, "");
  const refusal = {
    code: "STATE_UNWRITABLE",
    message: expect.stringMatching(
      new RegExp(`cannot write .*${dir}.* as uid ${process.getuid?.()}: a file is in the way`),
    ),
  };
  await expect(storeIn(dir).create("r1")).rejects.toMatchObject(refusal);
});

test.skipIf(process.platform !== "linux")(
  "a state folder that may not be written is named, with the user",
  async () => {
    // Nobody makes folders there, not even root.
    await expect(storeIn("/sys/midflight").create("r1")).rejects.toMatchObject({
      code: "STATE_UNWRITABLE",
      message: expect.stringMatching(
        /cannot write \/sys\/midflight\/runs\/r1 as uid \d+: (permission denied|not permitted|the file system is read-only)/,
      ),
    });
  },
);

test("a run that cannot grow further stops for ever, and goes on once there is room", async () => {
  const dir = await folder();
  // 16 blocks of 512 bytes, or of 1,024 where the shell is not in its POSIX mode: room for the anchor and a few records.
  const { told, ended, acknowledged } = append(dir, ["sh", "-c", 'ulimit -f 16 && exec "$@"', "sh"]);
  await ended;
  const [first = "", second = ""] = told.err.split("\n");
  expect(first).toContain("the file may not grow further (EFBIG)");
  expect(second).toBe(first);
  expect(acknowledged().length).toBeGreaterThan(3);
  const store = storeIn(dir);
  expect((await store.read("r1")).length).toBeGreaterThanOrEqual(acknowledged().length);
  const journal = await store.open("r1");
  expect((await journal.append({ at: 1 })).seq).toBeGreaterThan(acknowledged().length);
  await journal.close();
});

/** A small disk of its own, where this user may mount one. */
async function smallDisk(options: string): Promise<string | undefined> {
  const dir = join(await folder(), "disk");
  await mkdir(dir);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "midflight-test", dir], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  cleanups.push(() => void execFileSync("umount", [dir]));
  return dir;
}

test("a full disk ends a run with one clear sentence, and loses nothing that was acknowledged", async ({ skip }) => {
  const dir = await smallDisk("size=128k");
  if (dir === undefined) return skip("this user may not mount a disk");
  const { child, told, ended, acknowledged } = append(dir);
  await ended;
  expect(child.exitCode).toBe(6);
  const [first = "", second = ""] = told.err.split("\n");
  expect(first).toMatch(/line \d+ of .*journal\.ndjson could not be made durable: the disk is full \(ENOSPC\)/);
  expect(second).toBe(first);
  const store = storeIn(dir);
  expect((await store.read("r1")).length).toBeGreaterThanOrEqual(acknowledged().length);
  await expect(store.putFile("r1", "before.json", "x".repeat(50_000))).rejects.toMatchObject({
    code: "STATE_UNWRITABLE",
    message: expect.stringContaining("the disk is full (ENOSPC)"),
  });
  expect((await readdir(join(dir, "runs/r1"))).toSorted()).toEqual(["journal.head", "journal.ndjson"]);
  execFileSync("mount", ["-o", "remount,size=512k", dir]);
  const journal = await store.open("r1");
  expect((await journal.append({ at: 1 })).seq).toBeGreaterThan(acknowledged().length);
  await journal.close();
});

test("a read-only disk can be read and is named when it should be written", async ({ skip }) => {
  const dir = await smallDisk("size=128k");
  if (dir === undefined) return skip("this user may not mount a disk");
  const journal = await storeIn(dir).create("r1");
  await journal.append({ at: 1 });
  await journal.close();
  execFileSync("mount", ["-o", "remount,ro", dir]);
  expect(await storeIn(dir).read("r1")).toHaveLength(1);
  const refusal = {
    code: "STATE_UNWRITABLE",
    message: expect.stringContaining("the file system is read-only (EROFS)"),
  };
  await expect(storeIn(dir).open("r1")).rejects.toMatchObject(refusal);
  await expect(storeIn(dir).create("r2")).rejects.toMatchObject(refusal);
  await expect(storeIn(dir).putFile("r1", "x", "x")).rejects.toMatchObject(refusal);
});
