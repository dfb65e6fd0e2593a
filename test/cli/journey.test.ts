import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { midflight, OVERRIDE, type Ended } from "../support/cli.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const STATE = ["--state", "plans/.midflight"];
const FILES = ["plans/small.yaml", "--env", "plans/production.yaml"];
const OLD = { tokyo: ["gateway@1.0 100", "gateway@1.0 100"], frankfurt: ["gateway@1.0 100", "gateway@1.0 100"] };
const NEW = { tokyo: ["gateway@2.0 100", "gateway@2.0 100"], frankfurt: ["gateway@2.0 100", "gateway@2.0 100"] };

let place: SmallVenue;
beforeAll(async () => {
  place = await startSmallVenue({ name: "journey", contract: true });
}, 60_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);

const call = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: { ...place.env, ...env }, limitMs: 90_000 });
const newest = async () =>
  JSON.parse((await call(["status", "--json", ...STATE])).stdout) as { readonly run: string; readonly state: string };
const rewrite = (file: string, change: (text: string) => string) =>
  writeFileSync(join(place.dir, file), change(readFileSync(join(place.dir, file), "utf8")));

describe("an operator", () => {
  test("sees in a plan what would change, and nothing is touched", async () => {
    const text = await call(["plan", ...FILES]);
    expect(text.status, text.stderr).toBe(0);
    expect(text.stdout).toMatch(/gateway in tokyo: 2 × gateway@1\.0 \(sha256:\w+…\) → gateway@2\.0/);
    expect(text.stdout).toContain("0001_price_bands");
    expect(text.stdout).toContain("undo:");
    const json = await call(["plan", ...FILES, "--json", "--detailed-exitcode"]);
    expect(json.status).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: "plan", environment: "production" });
    expect((await call(["runs", ...STATE])).stdout).toContain("no runs");
    expect(await place.serving()).toEqual(OLD);
  }, 30_000);

  test("is told when a plan cannot be written where they want it", async () => {
    const { status, stderr } = await call(["plan", ...FILES, "--out", "no/such/folder.json"]);
    expect([status, stderr.includes("OUTPUT_UNWRITABLE")]).toEqual([5, true]);
  }, 20_000);

  test("cannot carry out a saved plan whose files changed since", async () => {
    expect((await call(["plan", ...FILES, "--out", "saved.json"])).status).toBe(0);
    for (const [file, change] of [
      ["plans/small.yaml", (text: string) => text.replace("soak: 1s", "soak: 2s")],
      ["plans/production.yaml", (text: string) => text.replace("instances: 2", "instances: 3")],
      ["plans/migrations/orders/0001_price_bands.up.sql", (text: string) => `${text}\n-- edited\n`],
    ] as const) {
      const before = readFileSync(join(place.dir, file), "utf8");
      rewrite(file, change);
      const { status, stderr } = await call(["upgrade", "saved.json"]);
      expect([file, status, stderr.includes("PLAN_STALE")]).toEqual([file, 5, true]);
      rewrite(file, () => before);
    }
    expect((await call(["upgrade", "saved.json", "--env", "production"])).status).toBe(3);
    expect(await place.serving()).toEqual(OLD);
  }, 30_000);

  test("carries out exactly the saved plan, and with --json every line is JSON", async () => {
    const upgraded = await call(["upgrade", "saved.json", "--json", ...OVERRIDE]);
    expect(upgraded.status, upgraded.stdout + upgraded.stderr).toBe(0);
    const lines = upgraded.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly kind: string });
    expect(lines[0]).toMatchObject({ kind: "version" });
    expect(lines.at(-1)).toMatchObject({ kind: "ended" });
    expect(await place.serving()).toEqual(NEW);
  }, 90_000);

  test("finds a saved plan stale once the world is another one, and nothing left to do", async () => {
    const stale = await call(["upgrade", "saved.json"]);
    expect([stale.status, stale.stderr.includes("PLAN_STALE")]).toEqual([5, true]);
    expect((await call(["plan", ...FILES, "--detailed-exitcode"])).status).toBe(0);
    const again = await call(["upgrade", ...FILES, ...OVERRIDE]);
    expect(again.status, again.stdout + again.stderr).toBe(0);
    expect(again.stdout).toContain("nothing to do");
  }, 40_000);

  test("cannot take a run back past its contract, and is told what to do instead", async () => {
    const rows = (await call(["runs", "--json", ...STATE])).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly run: string; readonly state: string });
    expect(rows.map(({ state }) => state)).toEqual(["unchanged", "promoted"]);
    const { status, stderr } = await call(["rollback", rows[1]?.run ?? "", ...STATE]);
    expect(status).toBe(5);
    expect(stderr).toContain("PAST_NO_RETURN");
    expect(stderr).toContain("rebuild");
    expect(await place.serving()).toEqual(NEW);
    expect((await call(["resume", rows[1]?.run ?? "", ...STATE])).stderr).toContain("RUN_OVER");
  }, 20_000);

  test("reads the report as Markdown and as JSON, and can have it written", async () => {
    const text = await call(["report", ...STATE]);
    expect(text.stdout).toMatch(/^# small on production: unchanged/);
    expect(JSON.parse((await call(["report", "--json", ...STATE])).stdout)).toMatchObject({ kind: "report" });
    expect((await call(["report", "--out", "report.md", ...STATE])).stdout).toBe("");
    expect(readFileSync(join(place.dir, "report.md"), "utf8")).toBe(text.stdout);
  }, 20_000);

  test("finds no secret in anything that a run left behind", async () => {
    const { run } = await newest();
    for (const file of ["report.md", "journal.ndjson", "input.json", "input/environment.yaml"]) {
      const text = readFileSync(join(place.state, "runs", run, file), "utf8");
      const secrets = Object.entries(place.env).filter(([name]) => name.endsWith("_URL") || name.startsWith("PROBES"));
      expect([file, secrets.filter(([, value]) => text.includes(value))]).toEqual([file, []]);
    }
  });

  test("prunes old runs, and keeps the newest", async () => {
    const { run } = await newest();
    const pruned = await call(["runs", "prune", "--keep", "1", ...STATE]);
    expect(pruned.stdout).toContain("removed 1 of 2");
    expect((await newest()).run).toBe(run);
  });
});
