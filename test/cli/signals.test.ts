import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { midflight, OVERRIDE, start, until, type Ended, type Running } from "../support/cli.ts";
import { midflightBinary } from "../support/build.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const STATE = ["--state", "plans/.midflight"];
const UPGRADE = ["upgrade", "plans/small.yaml", "--env", "plans/production.yaml", ...OVERRIDE];
const OLD = { tokyo: ["gateway@1.0 100", "gateway@1.0 100"], frankfurt: ["gateway@1.0 100", "gateway@1.0 100"] };

let place: SmallVenue;
beforeAll(async () => {
  place = await startSmallVenue({ name: "signals", batch: 1 });
}, 60_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);

const call = (args: readonly string[]): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: place.env, limitMs: 90_000 });
const begin = (args: readonly string[] = UPGRADE): Running =>
  start(args, { cwd: place.dir, env: place.env, limitMs: 90_000 });
const statusOf = async () =>
  JSON.parse((await call(["status", "--json", ...STATE])).stdout) as {
    readonly run: string;
    readonly state: string;
    readonly held: readonly unknown[];
  };

/** The real binary at a terminal of 120 columns, as `script` makes one. */
function inTerminal(args: readonly string[]) {
  const words = [process.execPath, midflightBinary(), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const child = spawn("script", ["-qefc", `stty cols 120 rows 40; exec ${words.join(" ")}`, "/dev/null"], {
    cwd: place.dir,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/", TERM: "xterm", ...place.env },
  });
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    status,
    shown: () => shown,
    type: (text: string) => child.stdin.write(text),
    says: (what: RegExp) =>
      until(`the terminal shows ${what}`, () => what.test(shown), 30_000).catch((error: unknown) => {
        throw new Error(`${String(error)}; it shows ${shown.slice(-1_500)}`, { cause: error });
      }),
  };
}

const UNDONE = { status: 1, serving: OLD };

/** How it ended, and what then serves. */
async function endOf(conductor: Running): Promise<{ readonly status: number | null; readonly serving: unknown }> {
  const { status } = await conductor.ended;
  return { status, serving: await place.serving() };
}

describe("while an upgrade is conducted", () => {
  test("SIGINT before its first move ends it, and nothing was touched", async () => {
    const conductor = begin();
    await conductor.says(/run-opened/);
    process.kill(conductor.pid, "SIGINT");
    const ended = await conductor.ended;
    expect(ended.status, ended.stdout + ended.stderr).toBe(5);
    expect(ended.stdout).toContain("stopped by SIGINT before anything was touched");
    expect(await place.serving()).toEqual(OLD);
  }, 40_000);

  test("a second one is refused and names the first, and so is a resume", async () => {
    const first = begin();
    await first.says(/run-opened/);
    const { run, held } = await statusOf();
    expect(held).not.toEqual([]);
    const second = await call(UPGRADE);
    expect(second.status).toBe(5);
    expect(second.stderr).toContain("LEASE_HELD");
    expect(second.stderr).toContain(run);
    const resumed = await call(["resume", run, ...STATE]);
    expect([resumed.status, resumed.stderr.includes("LEASE_HELD")]).toEqual([5, true]);
    expect((await call(["rollback", run, ...STATE])).stdout).toContain("asked the conductor");
    expect([1, 5]).toContain((await first.ended).status);
    expect(await place.serving()).toEqual(OLD);
  }, 60_000);

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s once finishes the batch and halts; the run can be taken back later",
    async (signal) => {
      const conductor = begin();
      await conductor.says(/move-started +start gateway@2.0 1\/2/);
      process.kill(conductor.pid, signal);
      const ended = await conductor.ended;
      expect(ended.status, ended.stdout + ended.stderr).toBe(6);
      expect(ended.stderr).toContain("finishing the batch under way");
      expect(ended.stderr).toContain("midflight resume ");
      expect(ended.stdout).toContain("move-done        done: retire the old ones down to 1/2");
      expect(ended.stdout).not.toContain("start gateway@2.0 2/2");
      const { run, state, held } = await statusOf();
      expect([state, held]).toEqual(["halted", []]);
      expect(await endOf(begin(["rollback", run, ...STATE]))).toEqual(UNDONE);
    },
    60_000,
  );

  test("SIGINT halts it, and resume carries it to its end", async () => {
    const conductor = begin();
    await conductor.says(/move-started +start gateway@2.0 1\/2/);
    process.kill(conductor.pid, "SIGINT");
    expect((await conductor.ended).status).toBe(6);
    const resumed = await call(["resume", ...STATE]);
    expect(resumed.status, resumed.stdout + resumed.stderr).toBe(0);
    expect(resumed.stdout).toContain("promoted");
    expect(await endOf(begin(["rollback", (await statusOf()).run, ...STATE]))).toEqual(UNDONE);
  }, 90_000);

  test("SIGINT twice takes everything back, and a third one is told that an undo is never broken off", async () => {
    const conductor = begin();
    await conductor.says(/move-started +admit/);
    process.kill(conductor.pid, "SIGINT");
    await conductor.says(/finishing the batch/);
    process.kill(conductor.pid, "SIGINT");
    await conductor.says(/tripped/);
    process.kill(conductor.pid, "SIGINT");
    await conductor.says(/never broken off/);
    expect(await endOf(conductor)).toEqual(UNDONE);
  }, 60_000);

  test("in a terminal Ctrl-C halts, and during an undo only the run's name leaves it half done; resume goes on with it", async () => {
    const upgrade = inTerminal([...UPGRADE, "--yes"]);
    await upgrade.says(/prove gateway@2.0|retire the old/);
    upgrade.type("\u0003");
    await upgrade.says(/finishing the batch/);
    expect(await upgrade.status, upgrade.shown()).toBe(6);
    const { run } = await statusOf();
    const undo = inTerminal(["rollback", run, ...STATE]);
    await undo.says(/turning back/);
    undo.type("\u0003");
    await undo.says(/type the run's name/);
    undo.type("something else\r");
    await undo.says(/not its name/);
    const again = /undone: everything/.test(undo.shown());
    if (!again) undo.type("\u0003");
    // A quick machine has taken everything back before anybody has typed the name.
    const left = again
      ? undefined
      : await Promise.race([undo.says(/Name: [^]*Name: /).then(() => "asked"), undo.status]);
    if (left === "asked") undo.type(`${run}\r`);
    const status = await undo.status;
    const isLeft = undo.shown().includes("UNDO_LEFT");
    // Left half done, resume goes on with it; otherwise the undo came to its end by itself.
    const end = isLeft ? (await call(["resume", ...STATE])).status : status;
    expect([status, end], undo.shown()).toEqual([isLeft ? 6 : 1, 1]);
    expect(await place.serving()).toEqual(OLD);
  }, 120_000);

  test("rollback from another terminal is heard by its conductor", async () => {
    const conductor = begin();
    await conductor.says(/move-started +prove/);
    const asked = await call(["rollback", (await statusOf()).run, "--because", "it is Friday", ...STATE]);
    expect([asked.status, asked.stdout.includes("asked the conductor")]).toEqual([0, true]);
    expect(await endOf(conductor)).toEqual(UNDONE);
    expect(conductor.stdout()).toContain("it is Friday");
  }, 60_000);

  test("a reader that leaves, as `| head -1`, does not end it", async () => {
    const conductor = begin();
    await conductor.says(/run-opened/);
    conductor.child.stdout?.destroy();
    conductor.child.stderr?.destroy();
    await until(
      "it is half done",
      async () => (await place.serving())["tokyo"]?.includes("gateway@2.0 100") === true,
      30_000,
    );
    process.kill(conductor.pid, "SIGINT");
    await until("it halted", async () => (await statusOf()).state === "halted", 20_000);
    expect(await endOf(begin(["rollback", (await statusOf()).run, ...STATE]))).toEqual(UNDONE);
  }, 90_000);
});
