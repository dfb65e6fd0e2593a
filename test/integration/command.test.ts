import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { commandWorkload } from "../../src/adapters/command/workload.ts";
import type { CommandComponent } from "../../src/plan/model.ts";
import type { Shape } from "../../src/ports/workload.ts";

/** A component that is a file per region: `release digest`. */
const PROGRAM = `
const { readFileSync, writeFileSync, appendFileSync, existsSync } = require("node:fs");
const { MIDFLIGHT_COMPONENT: component, MIDFLIGHT_REGION: region, MIDFLIGHT_RELEASE: release, MIDFLIGHT_DIGEST: digest, MIDFLIGHT_FENCE: fence } = process.env;
const file = component + "-" + region;
const what = process.argv[2];
if (what !== "observe") appendFileSync("log", [what, region, release, digest, fence].join(" ") + "\\n");
if (existsSync("fail-" + what)) { console.error("the " + what + " broke"); process.exit(4); }
if (what === "observe") { const [release, digest] = readFileSync(file, "utf8").split(" "); console.log(JSON.stringify({ release, digest })); }
if (what === "apply" || what === "undo") writeFileSync(file, release + " " + digest);
if (what === "ready" && existsSync("slow") && readFileSync("log", "utf8").split("ready").length < 4) process.exit(1);
`;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight command "));
  await writeFile(join(dir, "program.cjs"), PROGRAM);
  await writeFile(join(dir, "engine-tokyo"), "engine@1.0 sha256:a");
});
afterEach(() => rm(dir, { recursive: true }));

const { signal } = new AbortController();
const at = (seq: number, epoch = 1) => ({ epoch, seq });
const argv = (what: string): readonly string[] => ["node", "program.cjs", what];
const made = (more: Partial<CommandComponent> = {}) =>
  commandWorkload({
    component: "engine",
    cwd: dir,
    config: {
      driver: "command",
      observe: argv("observe"),
      apply: argv("apply"),
      undo: argv("undo"),
      ready: argv("ready"),
      shell: false,
      timeoutMs: 5_000,
      ...more,
    },
  });
const shape = (old: number, fresh: number): Shape => ({
  releases: [
    { release: "engine@1.0", digest: "sha256:a", count: old },
    { release: "engine@2.0", digest: "sha256:b", count: fresh },
  ],
  drain: { noticeMs: 0, deadlineMs: 0 },
});
const log = async (): Promise<readonly string[]> =>
  (await readFile(join(dir, "log"), "utf8").catch(() => "")).trim().split("\n").filter(Boolean);

test("it is replaced in place when one release shall be left, and put back by its undo", async () => {
  const { workload, traffic } = made();
  expect(await workload.observe("tokyo", signal)).toEqual({
    region: "tokyo",
    instances: [
      { id: "engine-tokyo-1.0-1", release: "engine@1.0", digest: "sha256:a", ordinal: 1, ready: true, weightPct: 100 },
    ],
  });
  const both = await workload.shape("tokyo", shape(1, 1), at(1), signal);
  expect(both.instances.map(({ release, weightPct }) => [release, weightPct])).toEqual([
    ["engine@1.0", 100],
    ["engine@2.0", 0],
  ]);
  expect(await log()).toEqual([]);
  await traffic.weigh("tokyo", [{ digest: "sha256:b", admitted: 1, weightPct: 100 }], at(2), signal);
  const fresh = await workload.shape("tokyo", shape(0, 1), at(3), signal);
  expect(fresh.instances.map(({ release, weightPct }) => [release, weightPct])).toEqual([["engine@2.0", 100]]);
  await workload.shape("tokyo", shape(0, 1), at(3), signal);
  await workload.shape("tokyo", shape(1, 0), at(4), signal);
  expect((await workload.observe("tokyo", signal)).instances.map(({ release }) => release)).toEqual(["engine@1.0"]);
  expect((await log()).filter((line) => !line.startsWith("ready"))).toEqual([
    "apply tokyo engine@2.0 sha256:b 1.3",
    "undo tokyo engine@1.0 sha256:a 1.4",
  ]);
});

test("it is waited for until it says that it is ready", async () => {
  await writeFile(join(dir, "slow"), "");
  await made().workload.shape("tokyo", shape(0, 1), at(1), signal);
  expect((await log()).filter((line) => line.startsWith("ready"))).toHaveLength(3);
});

test.each([
  {
    name: "that cannot be observed",
    broken: "observe",
    code: "WORKLOAD_UNREACHABLE",
    says: /engine in tokyo cannot be observed: .*exited with status 4; its last lines:\nthe observe broke/s,
  },
  {
    name: "whose change fails",
    broken: "apply",
    code: "COMMAND_FAILED",
    says: /apply: `node program.cjs apply` exited with status 4; its last lines:\nthe apply broke/,
  },
])("one $name is told of with its last lines", async ({ broken, code, says }) => {
  await writeFile(join(dir, `fail-${broken}`), "");
  await expect(made().workload.shape("tokyo", shape(0, 1), at(1), signal)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(says),
  });
});

test("one that never gets ready is given up after its time", async () => {
  await writeFile(join(dir, "fail-ready"), "");
  await expect(made({ timeoutMs: 700 }).workload.shape("tokyo", shape(0, 1), at(1), signal)).rejects.toMatchObject({
    code: "INSTANCE_NOT_READY",
    message: expect.stringContaining("the ready broke"),
  });
});

test.each([
  { name: "nothing", text: "", says: "printed nothing instead" },
  { name: "no JSON", text: "console.log('fine')", says: 'printed "fine' },
  { name: "too little", text: "console.log('{}')", says: 'printed "{}' },
])("an observation that prints $name is refused", async ({ text, says }) => {
  await expect(made({ observe: ["node", "-e", text] }).workload.observe("tokyo", signal)).rejects.toMatchObject({
    code: "WORKLOAD_UNREACHABLE",
    message: expect.stringContaining(says),
  });
});

test("a program that lies about its work is found out", async () => {
  await expect(
    made({ apply: ["node", "-e", ""] }).workload.shape("tokyo", shape(0, 1), at(1), signal),
  ).rejects.toMatchObject({
    code: "COMMAND_FAILED",
    message: expect.stringContaining("it runs sha256:a and not sha256:b"),
  });
});

test("a program that is not there, or takes too long, is named", async () => {
  await expect(made({ observe: ["no-such-program-here"] }).workload.observe("tokyo", signal)).rejects.toMatchObject({
    code: "WORKLOAD_UNREACHABLE",
    message: expect.stringContaining("there is no such program"),
  });
  await expect(
    made({ observe: ["node", "-e", "setInterval(() => {}, 1e6)"], timeoutMs: 300 }).workload.observe("tokyo", signal),
  ).rejects.toMatchObject({ message: expect.stringContaining("did not end within 0.3 s") });
});

test("an order that is taken back ends its program with everything it started", async () => {
  const text = `require("node:child_process").spawn(process.execPath, ["-e", "require('node:fs').writeFileSync('pid', String(process.pid)); setInterval(() => {}, 1e6)"], { stdio: "inherit" }); setInterval(() => {}, 1e6)`;
  const change = new AbortController();
  const shaping = made({ apply: ["node", "-e", text], timeoutMs: 60_000 }).workload.shape(
    "tokyo",
    shape(0, 1),
    at(1),
    change.signal,
  );
  shaping.catch(() => {});
  const pid = async (): Promise<number> => Number(await readFile(join(dir, "pid"), "utf8").catch(() => ""));
  await expect.poll(pid).toBeGreaterThan(0);
  change.abort(new Error("taken back"));
  await expect(shaping).rejects.toThrow("taken back");
  const child = await pid();
  // Until its own parent's parent has buried it.
  await expect
    .poll(
      () => {
        try {
          return process.kill(child, 0);
        } catch {
          return false;
        }
      },
      { timeout: 10_000 },
    )
    .toBe(false);
});

test("a release of nobody's run, and a late order, change nothing", async () => {
  const { workload } = made();
  await workload.shape("tokyo", shape(1, 0), at(5, 2), signal);
  await expect(workload.shape("tokyo", shape(0, 1), at(9, 1), signal)).rejects.toMatchObject({ code: "FENCED" });
  await writeFile(join(dir, "engine-tokyo"), "engine@9 sha256:x");
  await expect(workload.shape("tokyo", shape(0, 1), at(6, 2), signal)).rejects.toMatchObject({
    code: "FOREIGN_CHANGE",
    message: expect.stringContaining("engine@9"),
  });
  expect((await workload.observe("tokyo", signal)).instances.map(({ digest }) => digest)).toEqual(["sha256:x"]);
  expect(await log()).toEqual([]);
});

test("a shell reads it when it is asked for", async () => {
  const { workload } = made({
    shell: true,
    observe: [
      'cat engine-tokyo | awk \'{print "{\\"release\\":\\"" $1 "\\",\\"digest\\":\\"" $2 "\\",\\"ready\\":false}"}\'',
    ],
  });
  expect((await workload.observe("tokyo", signal)).instances.map(({ release, ready }) => [release, ready])).toEqual([
    ["engine@1.0", false],
  ]);
});

test("a program that leaves a service running is not waited for, and the service lives", async () => {
  const text = `const left = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "inherit" }); left.unref(); require("node:fs").writeFileSync("engine-tokyo", "engine@2.0 sha256:b"); require("node:fs").writeFileSync("pid", String(left.pid)); process.exit(0)`;
  const started = performance.now();
  await made({ apply: ["node", "-e", text], timeoutMs: 60_000 }).workload.shape("tokyo", shape(0, 1), at(1), signal);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(process.kill(Number(await readFile(join(dir, "pid"), "utf8")), "SIGKILL")).toBe(true);
});
