import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { localRunner } from "../../../src/adapters/runner/local-runner.ts";
import type { RunOrder } from "../../../src/ports/runner.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight run "));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const { signal } = new AbortController();
const runner = localRunner();
const order = (argv: readonly string[], more: Partial<RunOrder> = {}): RunOrder => ({
  argv,
  shell: false,
  timeoutMs: 10_000,
  cwd: dir,
  env: {},
  ...more,
});
const script = (text: string, more: Partial<RunOrder> = {}): RunOrder => order(["node", "-e", text], more);
/** The dead who wait to be buried do not count. */
const isAlive = (pid: number): boolean =>
  /^[^Z]/.test(execFileSync("sh", ["-c", `ps -o stat= -p ${pid} || true`], { encoding: "utf8" }));
/** Starts a program that ignores SIGTERM, notes both pids, and stays. */
const FAMILY = `
const child = require("node:child_process").spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6)"], { stdio: "inherit" });
require("node:fs").writeFileSync("pids.tmp", JSON.stringify([process.pid, child.pid]));
require("node:fs").renameSync("pids.tmp", "pids");
console.log("working");
setInterval(() => {}, 1e6);
`;
const family = async (): Promise<readonly number[]> =>
  JSON.parse(await readFile(join(dir, "pids"), "utf8").catch(() => "[]"));

test("what it printed comes back, from both streams, in the folder and with the variables it was given", async () => {
  const { output } = await runner.run(
    script("console.log(process.cwd()); console.error(process.env.WHO)", { env: { WHO: "me" } }),
    signal,
  );
  expect(output).toContain("midflight run ");
  expect(output).toContain("me\n");
});

test("no shell reads it unless it is asked for", async () => {
  expect((await runner.run(order(["echo", "$HOME; ls | cat"]), signal)).output).toBe("$HOME; ls | cat\n");
  expect(
    (await runner.run(order(["echo one; echo $WHO | tr a-z A-Z"], { shell: true, env: { WHO: "two" } }), signal))
      .output,
  ).toBe("one\nTWO\n");
});

test("only the end of a long output is kept", async () => {
  const { output } = await runner.run(script("process.stdout.write('x'.repeat(1e6) + 'the end')"), signal);
  expect(Buffer.byteLength(output)).toBe(16_384);
  expect(output.endsWith("the end")).toBe(true);
});

test("a failure says the status and the last lines", async () => {
  const running = runner.run(
    script("for (let i = 0; i < 100; i++) console.log('line ' + i); console.error('no room'); process.exitCode = 7"),
    signal,
  );
  await expect(running).rejects.toMatchObject({
    code: "RUN_FAILED",
    message: expect.stringMatching(/exited with status 7; its last lines:\nline 89\n[\s\S]*no room$/),
  });
  await expect(runner.run(script("process.kill(process.pid, 'SIGKILL')"), signal)).rejects.toMatchObject({
    code: "RUN_FAILED",
    message: expect.stringContaining("was ended by SIGKILL; it printed nothing"),
  });
});

test.each([
  { name: "a program that is not there", argv: ["no-such-program-here"], why: "there is no such program" },
  { name: "a program that may not be run", argv: ["./notes"], why: "this user may not run it" },
])("$name is told from one that failed", async ({ argv, why }) => {
  await writeFile(join(dir, "notes"), "no program", { mode: 0o644 });
  await expect(runner.run(order(argv), signal)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: expect.stringContaining(why),
  });
});

test("a folder that is not there is named", async () => {
  await expect(runner.run(script("", { cwd: join(dir, "gone") }), signal)).rejects.toMatchObject({
    code: "RUN_NOT_FOUND",
    message: expect.stringContaining("gone is not there"),
  });
});

test("one that takes too long is ended with everything it started, whatever they do about it", async () => {
  await expect(runner.run(script(FAMILY, { timeoutMs: 500 }), signal)).rejects.toMatchObject({
    code: "RUN_TIMED_OUT",
    message: expect.stringMatching(/did not end within 0.5 s[\s\S]*working/),
  });
  const pids = await family();
  expect(pids).toHaveLength(2);
  expect(pids.filter(isAlive)).toEqual([]);
});

test("one that is no longer wanted is ended with everything it started, and the reason comes back", async () => {
  const change = new AbortController();
  const running = runner.run(script(FAMILY), change.signal);
  running.catch(() => {});
  await expect.poll(family).toHaveLength(2);
  const reason = new Error("another way");
  change.abort(reason);
  await expect(running).rejects.toBe(reason);
  expect((await family()).filter(isAlive)).toEqual([]);
  await expect(runner.run(script("require('node:fs').writeFileSync('ran', '')"), change.signal)).rejects.toBe(reason);
  await expect(readFile(join(dir, "ran"))).rejects.toThrow("ENOENT");
});

test("one that leaves something behind on purpose is not waited for", async () => {
  const started = performance.now();
  const { output } = await runner.run(
    script(`${FAMILY.replace("setInterval(() => {}, 1e6);\n", "")}; child.unref(); process.exit(0)`),
    signal,
  );
  expect(output).toBe("working\n");
  expect(performance.now() - started).toBeLessThan(5_000);
  const [, left = 0] = await family();
  expect(isAlive(left)).toBe(true);
  process.kill(left, "SIGKILL");
});
