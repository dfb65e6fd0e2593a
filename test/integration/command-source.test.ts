import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { guardThread } from "../../src/adapters/guard-thread/guard-thread.ts";
import { startCommand } from "../../src/adapters/guard-thread/sources/command.ts";
import { OKX_V5 } from "../../src/guard/rules-okx.ts";
import type { Verdict } from "../../src/guard/verdict.ts";
import type { WatchedInstance } from "../../src/ports/watcher.ts";
import { eventually, guardOf } from "../fakes/watched-venue.ts";
import { liveSink } from "../support/live-sink.ts";
import { scratch } from "../support/scratch.ts";

const folder = scratch();
const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).toReversed()) await undo();
});

const NEW: WatchedInstance = {
  id: "tokyo-7",
  component: "gateway",
  region: "tokyo",
  release: "gateway@2.0",
  side: "new",
  url: "http://127.0.0.1:9",
  inTraffic: true,
};

/** A program that counts: its own number goes into the file `pid`, and every 60 ms a bin. `more` is what else it does. */
const COUNTS = (more = ""): string => `
require("node:fs").writeFileSync("pid", String(process.pid));
let round = 0;
setInterval(() => {
  round++;
  ${more}
  console.log(JSON.stringify({ operation: "order", region: "tokyo", release: "2.0", count: 9 }));
  console.log(JSON.stringify({ operation: "order", region: "tokyo", release: "2.0", code: "50026", http: 500, count: 1 }));
  console.log("{}");
}, 60);
`;

const sourceOf = (argv: readonly string[], cwd: string, silentAfterMs = 5_000) => ({
  kind: "command" as const,
  id: "sources[0]",
  argv,
  cwd,
  env: { MIDFLIGHT_ENVIRONMENT: "production" },
  regions: ["tokyo"],
  operations: ["order"] as const,
  rules: OKX_V5,
  countsProbes: false,
  silentAfterMs,
});
const watch = (argv: readonly string[], cwd = folder(), silentAfterMs = 5_000) => {
  const sink = liveSink();
  const source = startCommand({ ...sourceOf(argv, cwd, silentAfterMs), ...sink.how });
  source.instances([NEW]);
  cleanUp.push(() => source.stop());
  return { ...sink, source, cwd };
};
const script = (text: string, silentAfterMs?: number) => watch(["node", "-e", text], folder(), silentAfterMs);

const pidIn = (cwd: string, name = "pid"): Promise<number> =>
  eventually(
    () => {
      const text = existsSync(join(cwd, name)) ? readFileSync(join(cwd, name), "utf8") : "";
      return text === "" ? undefined : Number(text);
    },
    10_000,
    () => `a file ${name}`,
  );
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // The dead whom nobody has buried yet still take signals.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
const death = (pid: number): Promise<boolean> =>
  eventually(
    () => (isAlive(pid) ? undefined : true),
    5_000,
    () => `${pid} to be dead`,
  );

describe("a program that prints counts", () => {
  test("is seen through by whole bins, each on its side", async () => {
    const { seeing, bins, sum, sights, how } = script(COUNTS());
    await seeing();
    await eventually(
      () => (bins.length > 5 ? true : undefined),
      10_000,
      () => "six bins",
    );
    expect(sights.map(({ why }) => why !== undefined)).toEqual([true, false]);
    expect(sum(({ side, release }) => side === "new" && release === "gateway@2.0", "issued")).toBe(
      sum(() => true, "issued"),
    );
    expect(sum(() => true, "failed") * 10).toBe(sum(() => true, "issued"));
    expect(bins.slice(1).every((bin, index) => bin.at - bin.ms === bins[index]?.at)).toBe(true);
    expect(bins.every(({ at }) => at <= how.now())).toBe(true);
  });

  test("is told which environment it counts in", async () => {
    const { blind } = script(`process.stderr.write(process.env.MIDFLIGHT_ENVIRONMENT + "\\n"); process.exit(1)`);
    expect((await blind(/ended/)).why).toMatch(/^`node -e .*` ended with status 1; its last words: production$/);
  });

  test("is started again when it is killed, and nothing is seen until its next whole bin", async () => {
    const { seeing, blind, sights, cwd } = script(COUNTS());
    await seeing();
    const first = await pidIn(cwd);
    process.kill(first, "SIGKILL");
    await blind(/was ended by SIGKILL$/);
    await seeing();
    const second = await pidIn(cwd);
    expect(second).not.toBe(first);
    expect(sights.map(({ why }) => why !== undefined)).toEqual([true, false, true, false]);
  });

  test("that hangs is no health", async () => {
    const { blind, seeing } = script(COUNTS("if (round > 10) return;"), 1_500);
    await seeing();
    expect((await blind(/closed no whole bin/)).why).toMatch(/has closed no whole bin for 1\.5 s$/);
  });

  test("that prints something else is no health, and its bins with rubbish in them are missing", async () => {
    const { blind, sum } = script(COUNTS('console.log("order failed: " + round);'));
    expect((await blind(/no count/)).why).toMatch(
      /prints what is no count: line \d+: it is no JSON object: "order failed: \d+"$/,
    );
    expect(sum(() => true, "issued")).toBe(0);
  });

  test("that prints a line without end does not fill this process", async () => {
    const { blind } = script(`
      const page = "x".repeat(100_000);
      let pages = 0;
      const timer = setInterval(() => {
        if (pages++ < 20) return process.stdout.write(page);
        clearInterval(timer);
        console.log("");
      }, 5);
      setInterval(() => {}, 1_000);
    `);
    expect((await blind(/no count/)).why).toMatch(/line 1: it is too long$/);
  });

  test("that floods is ended, and started again with growing pauses", async () => {
    const { blind } = script(
      `const more = () => { while (process.stdout.write("rubbish\\n")); process.stdout.once("drain", more); }; more();`,
    );
    expect((await blind(/too much/)).why).toMatch(/was ended: it prints too much: more than 1000 wrong lines in a row/);
  });

  test.each<{ name: string; argv: readonly string[]; why: RegExp }>([
    { name: "is not there", argv: ["/no/such/program"], why: /cannot be started: there is no such program/ },
    { name: "may not be run", argv: ["./plain"], why: /cannot be started: this user may not run it/ },
    { name: "has words that no system takes", argv: ["node", "a\0b"], why: /cannot be started: / },
  ])("that $name is said to be so", async ({ argv, why }) => {
    const cwd = folder();
    writeFileSync(join(cwd, "plain"), "text", { mode: 0o644 });
    expect((await watch(argv, cwd).blind(why)).regions).toEqual(["tokyo"]);
  });

  test("is ended with all that it started, also when it does not want to", async () => {
    const { source, seeing, cwd } = script(
      `process.on("SIGTERM", () => {});
       const { pid } = require("node:child_process").spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
       require("node:fs").writeFileSync("child", String(pid));
       ${COUNTS()}`,
    );
    await seeing();
    const [pid, child] = [await pidIn(cwd), await pidIn(cwd, "child")];
    const from = performance.now();
    await source.stop();
    expect(performance.now() - from).toBeLessThan(4_000);
    expect(await death(pid)).toBe(true);
    expect(await death(child)).toBe(true);
  });

  test("sees the end of its input when midflight is killed, and can end by itself", async () => {
    const cwd = folder();
    const program = `
      require("node:fs").writeFileSync("pid", String(process.pid));
      process.stdin.resume();
      process.stdin.on("end", () => process.exit(0));
      setInterval(() => {}, 1_000);
    `;
    const parent = spawn(process.execPath, [
      join(import.meta.dirname, "processes", "count-until-killed.ts"),
      cwd,
      program,
    ]);
    cleanUp.push(() => void parent.kill("SIGKILL"));
    const pid = await pidIn(cwd);
    parent.kill("SIGKILL");
    expect(await death(pid)).toBe(true);
  });
});

test("a guard with a program as its only eye shows health by it, and none once it is gone", async () => {
  const cwd = folder();
  const watcher = guardThread();
  cleanUp.push(() => watcher.stop());
  const verdicts: Verdict[] = [];
  const healthy = COUNTS().replace(', code: "50026", http: 500, count: 1', ", count: 1");
  await watcher.start(
    {
      guard: guardOf({ operations: ["order"] }),
      orderPrefix: "mf",
      regions: [{ region: "tokyo", accounts: [] }],
      sources: [sourceOf(["node", "-e", healthy], cwd)],
    },
    { verdict: (verdict) => void verdicts.push(verdict), pulse: () => undefined },
  );
  const until = (state: Verdict["state"]): Promise<Verdict> =>
    eventually(
      () => (verdicts.at(-1)?.state === state ? verdicts.at(-1) : undefined),
      15_000,
      () => `${state}; told: ${JSON.stringify(verdicts.map((verdict) => [verdict.state, verdict.reason]))}`,
    );
  await until("healthy");
  const pid = await pidIn(cwd);
  process.kill(pid, "SIGKILL");
  const unseen = await until("unknown");
  expect(unseen.reason).toMatch(/^what users see is not known: `node -e .*` was ended by SIGKILL$/);
  await until("healthy");
  const last = await pidIn(cwd);
  await watcher.stop();
  expect(await death(last)).toBe(true);
}, 40_000);
