import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "pg";
import { postgresTrials } from "../../src/adapters/postgres/trials/trials.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { openMetadata } from "../../src/demo/venue/metadata/open.ts";
import type { Postgres } from "../../src/demo/venue/metadata/postgres.ts";
import { readMigrations } from "../../src/plan/migrations.ts";
import type { ListedRelease } from "../../src/rehearsal/trial/order.ts";
import { readStatements } from "../../src/rehearsal/trial/read-statements.ts";
import { isRefused } from "../../src/rehearsal/trial/result.ts";
import type { TrialResult } from "../../src/rehearsal/trial/result.ts";
import { tryMigrations } from "../../src/rehearsal/trial/try-migrations.ts";
import { graphOf, migrateMove, rollMoves } from "../support/trial-graph.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let dir: string;
let postgres: Postgres;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight-trial-plans-test-"));
  postgres = await openMetadata({ dir });
});
afterAll(async () => {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

const listed = async (side: "old" | "new", version: string): Promise<ListedRelease> => {
  const file = at(`src/demo/venue/gateway/releases/${version}/statements.json`);
  const queries = readStatements(await readFile(file, "utf8"), file);
  return { component: "gateway", side, release: `gateway@${version}`, queries };
};

const migrationsIn = async (folder: string) => {
  const path = at(`plans/migrations/${folder}`);
  const files = await Promise.all(
    (await readdir(path)).map(async (name) => ({ name, bytes: await readFile(join(path, name)) })),
  );
  return readMigrations(files, folder).migrations;
};

const tried = async (
  folder: string,
  isContractLast: boolean,
  how: { readonly signal: AbortSignal; readonly trying: (what: string) => void } = {
    signal: new AbortController().signal,
    trying: () => undefined,
  },
): Promise<TrialResult> => {
  const migrations = await migrationsIn(folder);
  const names = migrations.map(({ name }) => name);
  const rolls = rollMoves(1, "gateway", ["tokyo", "frankfurt"]);
  const graph = isContractLast
    ? graphOf([migrateMove(0, names.slice(0, 1)), ...rolls, migrateMove(2, names.slice(1), { irreversible: true })])
    : graphOf([migrateMove(0, names), ...rolls]);
  const trials = postgresTrials({
    url: postgres.ownerUrl,
    roles: { gateway: postgres.gatewayUrl },
    content: { rows: "all", mask: [] },
    sessions: "ask",
    clock: systemClock,
  });
  return tryMigrations(
    {
      store: "store",
      graph,
      migrations,
      applied: [],
      releases: [await listed("old", "1.0"), await listed("new", "2.0")],
      production: [],
      abortMs: 250,
    },
    trials,
    { now: () => performance.now(), progress: { trying: how.trying }, signal: how.signal },
  );
};

const left = async (): Promise<readonly unknown[]> => {
  const client = new Client({ connectionString: postgres.superUrl });
  await client.connect();
  const { rows } = await client.query(
    "select datname from pg_database where datname like 'midflight%' union all select application_name from pg_stat_activity where application_name like 'midflight%'",
  );
  await client.end();
  return rows;
};

describe("the example plans, on clones of the venue's metadata", () => {
  test("the migration of 14 August 2023 is refused, and statement, shards and step are named", async () => {
    const result = await tried("orders-2023", false);
    expect(isRefused(result)).toBe(true);
    const [first] = result.findings;
    expect(first).toMatchObject({
      rule: "rows-out-of-reach",
      severity: "block",
      migration: "0002_split_tiers",
      file: "0002_split_tiers.up.sql",
      broken: { component: "gateway", release: "gateway@1.0", statement: "account", cohorts: ["shard-3", "shard-7"] },
    });
    // What both releases send is the migration's fault for both, and never the samples'.
    expect(
      result.findings.filter(({ rule }) => rule === "rows-out-of-reach").map(({ broken }) => broken?.release),
    ).toEqual(["gateway@1.0", "gateway@2.0"]);
    expect(result.findings.map(({ rule }) => rule)).not.toContain("sample-hits-nothing");
    const source = await readFile(at("plans/migrations/orders-2023/0002_split_tiers.up.sql"), "utf8");
    expect(
      source
        .split("\n")
        .slice((first?.line ?? 0) - 1)
        .join("\n"),
    ).toMatch(/^\s*delete from routes/);
    expect(await left()).toEqual([]);
  }, 120_000);

  test("the sound upgrade passes, and tells each statement's locks, its loads and whom it asked where", async () => {
    const result = await tried("orders", true);
    expect(result.findings.filter(({ severity }) => severity === "block")).toEqual([]);
    expect(result.asked.map(({ after, direction, release, broken }) => [after, direction, release, broken])).toEqual([
      [undefined, "up", "gateway@1.0", 0],
      ["0001_price_bands", "up", "gateway@1.0", 0],
      ["0001_price_bands", "up", "gateway@2.0", 0],
      ["0001_price_bands", "down", "gateway@1.0", 0],
      ["0002_drop_max_deviation", "up", "gateway@2.0", 0],
    ]);
    expect(result.migrations.map(({ name, down }) => [name, down !== undefined])).toEqual([
      ["0001_price_bands", true],
      ["0002_drop_max_deviation", false],
    ]);
    expect(result.migrations[0]?.up.statements[0]?.locks).toContainEqual({
      table: "instruments",
      mode: "ShareRowExclusiveLock",
    });
    expect(result.migrations[1]?.up.statements[0]?.locks).toEqual([
      { table: "instruments", mode: "AccessExclusiveLock" },
    ]);
    expect(result.loads.map(({ names, direction, failed, calls }) => [names, direction, failed, calls > 20])).toEqual([
      [["0001_price_bands"], "up", 0, true],
      [["0001_price_bands"], "down", 0, true],
      [["0002_drop_max_deviation"], "up", 0, true],
    ]);
    expect(result.loads[2]?.waitedFor).toContain("midflight drill: slow reader");
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(await left()).toEqual([]);
  }, 120_000);

  test("a contract before the old release is gone is refused by that release", async () => {
    const result = await tried("orders", false);
    expect(result.findings.find(({ broken }) => broken !== undefined)).toMatchObject({
      rule: "drop-column-or-table",
      file: "0002_drop_max_deviation.up.sql",
      statement: 1,
      broken: { release: "gateway@1.0", statement: "instruments", column: "max_deviation_pct" },
    });
  }, 120_000);

  test.each(["a copy of store is made", "0001_price_bands up", "0001_price_bands up under load"])(
    "stopped when it said %s, nothing is left behind",
    async (moment) => {
      const stop = new AbortController();
      const trying = (what: string): void => {
        // Not at once, so that what was announced has begun.
        if (what === moment) setTimeout(() => stop.abort(new Error("enough")), 60);
      };
      await expect(tried("orders", true, { signal: stop.signal, trying })).rejects.toThrow("enough");
      expect(await left()).toEqual([]);
    },
    120_000,
  );
});
