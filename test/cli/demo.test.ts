import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { start, until, type Running } from "../support/cli.ts";
import { leftOf, surroundingsOf, type Surroundings } from "../support/leftovers.ts";
import { scratch } from "../support/scratch.ts";

const folder = scratch();
const running: Running[] = [];
afterEach(async () => {
  for (const demo of running.splice(0)) {
    demo.child.kill("SIGKILL");
    await demo.ended;
  }
});

/** A demo with temporary folders and a marked environment of its own, so that whatever it leaves can be told from everybody else's. */
function begin(
  args: readonly string[],
  cwd = folder(),
): { readonly demo: Running; readonly cwd: string; readonly tmp: string } {
  const tmp = folder();
  const demo = start(args, { cwd, env: { TMPDIR: tmp }, limitMs: 90_000 });
  running.push(demo);
  return { demo, cwd, tmp };
}

type Begun = ReturnType<typeof begin>;

const around = ({ demo, tmp, cwd }: Begun): Surroundings => surroundingsOf(demo.pid, [tmp, cwd]);

/** Processes and folders that are there after this time. The first mark is its folder for temporary things. */
const left = (all: Begun, known: Surroundings, limitMs: number): Promise<readonly string[]> =>
  leftOf(known, all.demo.pid, [all.tmp, all.cwd], limitMs);

type Facts = {
  readonly kind: string;
  readonly regions: Readonly<Record<string, { readonly rest: string }>>;
  readonly curl: string;
  readonly variables: Readonly<Record<string, string>>;
};

describe.runIf(process.platform === "linux")("demo venue", () => {
  test("prints where it is as one JSON, and an order by curl that works; Ctrl-C leaves nothing", async () => {
    const all = begin(["demo", "venue", "--json"]);
    await all.demo.says(/"kind":"venue"/);
    const lines = all.demo.stdout().trim().split("\n");
    expect(lines).toHaveLength(1);
    const facts = JSON.parse(lines[0] ?? "") as Facts;
    expect(Object.keys(facts.regions)).toEqual(["tokyo", "frankfurt"]);
    const sent = spawnSync("sh", ["-c", facts.curl], { encoding: "utf8" });
    expect(JSON.parse(sent.stdout)).toMatchObject({ code: "0", data: [{ sCode: "0" }] });
    const known = around(all);
    expect(known.processes.length).toBeGreaterThan(10);
    expect(known.folders.length).toBeGreaterThan(1);
    process.kill(all.demo.pid, "SIGINT");
    const { status, stdout } = await all.demo.ended;
    expect([status, stdout.trim().split("\n").length]).toEqual([0, 1]);
    expect(await left(all, known, 1_000)).toEqual([]);
  }, 60_000);

  test("leaves no process and no folder when it is killed", async () => {
    const all = begin(["demo", "venue"]);
    await all.demo.says(/Ctrl-C stops it/);
    const known = around(all);
    process.kill(all.demo.pid, "SIGKILL");
    expect(await left(all, known, 15_000)).toEqual([]);
  }, 60_000);

  test("leaves nothing either when it is killed while it starts", async () => {
    const all = begin(["demo", "venue"]);
    await all.demo.says(/starting/);
    await until("its first processes run", () =>
      around(all).processes.some(({ words }) => words.includes("venue/balancer")),
    );
    const known = around(all);
    process.kill(all.demo.pid, "SIGKILL");
    expect(await left(all, known, 15_000)).toEqual([]);
  }, 60_000);

  test("says which port is taken, and leaves nothing", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const all = begin(["demo", "venue", "--port-base", String(port)]);
      const known = around(all);
      const { status, stderr } = await all.demo.ended;
      expect(status).toBe(5);
      expect(stderr).toContain("PORT_TAKEN");
      expect(stderr).toContain(String(port));
      expect(await left(all, known, 1_000)).toEqual([]);
    } finally {
      server.close();
    }
  }, 30_000);
});

describe.runIf(process.platform === "linux")("a story", () => {
  test("that is killed in the middle leaves no process and no temporary folder", async () => {
    const all = begin([
      "demo",
      "--no-rehearsal",
      "--story",
      "good-upgrade",
      "--rate",
      "60",
      "--instances",
      "2",
      "--output",
      "lines",
    ]);
    await all.demo.says(/move-started +start/, 60_000);
    const known = around(all);
    process.kill(all.demo.pid, "SIGKILL");
    expect(await left(all, known, 20_000)).toEqual([]);
  }, 90_000);

  test("that is stopped by Ctrl-C finishes its batch, says so, and leaves nothing", async () => {
    const all = begin([
      "demo",
      "--no-rehearsal",
      "--story",
      "good-upgrade",
      "--rate",
      "60",
      "--instances",
      "2",
      "--json",
    ]);
    await all.demo.says(/"move-started"/, 60_000);
    const known = around(all);
    process.kill(-all.demo.pid, "SIGINT");
    const { status, stdout, stderr } = await all.demo.ended;
    expect([status, stderr], stdout.slice(-3_000)).toEqual([130, expect.stringContaining("INTERRUPTED")]);
    for (const line of stdout.trim().split("\n")) JSON.parse(line);
    expect(await left(all, known, 3_000)).toEqual([]);
  }, 90_000);

  test("that nobody reads any more, as with `| head -1`, stops by itself", async () => {
    const all = begin([
      "demo",
      "--no-rehearsal",
      "--story",
      "good-upgrade",
      "--rate",
      "60",
      "--instances",
      "2",
      "--json",
    ]);
    await all.demo.says(/"kind":"version"/, 60_000);
    const known = around(all);
    all.demo.child.stdout?.destroy();
    expect((await all.demo.ended).status).not.toBe(0);
    expect(await left(all, known, 3_000)).toEqual([]);
  }, 90_000);
});
