import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresTrials } from "../../src/adapters/postgres/trials/trials.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { TracedRun } from "../../src/ports/trials.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration, until } from "../support/migrations.ts";

const never = new AbortController().signal;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const STORE = `
create type side as enum ('buy', 'sell');
create table orders (id int primary key, px numeric not null, side side not null);
create table trades (id int primary key, px numeric not null) partition by range (id);
create table trades_1 partition of trades for values from (0) to (1000);
create view sells as select id from orders where side = 'sell';
insert into orders select n, n, 'buy' from generate_series(1, 500) n;
insert into trades select n, n from generate_series(1, 300) n;`;

const store = async (): Promise<string> => {
  const url = await server.database();
  const owner = await server.session(url);
  await owner.query(STORE);
  await owner.end();
  return url;
};

const trialsOn = (url: string) =>
  postgresTrials({
    url,
    roles: { gateway: url },
    content: { rows: "all", mask: [] },
    sessions: "ask",
    clock: systemClock,
  });

const traced = async (up: string, more: { verify?: string; transactional?: boolean } = {}): Promise<TracedRun> => {
  const ground = await trialsOn(await store()).open(never);
  try {
    const clone = await ground.clone(never);
    return await clone.run(migration("0001_x", { up, ...more }), "up", never);
  } finally {
    await ground.close();
  }
};

const AX = "AccessExclusiveLock";

describe("what a statement does", () => {
  test.each([
    { sql: "alter table orders add column a int", locks: [["orders", AX]], rewritten: [], rows: 0 },
    { sql: "alter table orders alter px type int", locks: [["orders", AX]], rewritten: ["orders"], rows: 0 },
    { sql: "drop view sells", locks: [["sells", AX]], rewritten: [], rows: 0 },
    { sql: "update orders set px = 0 where id <= 7", locks: [["orders", "RowExclusiveLock"]], rewritten: [], rows: 7 },
    { sql: "create index on orders (px)", locks: [["orders", "ShareLock"]], rewritten: [], rows: 0 },
    {
      sql: "do $$ begin execute 'alter table orders alter px type bigint'; end $$",
      locks: [["orders", AX]],
      rewritten: ["orders"],
      rows: 0,
    },
    {
      sql: "create table mine as select * from orders",
      locks: [["orders", "AccessShareLock"]],
      rewritten: [],
      rows: 500,
    },
  ])("$sql", async ({ sql, locks, rewritten, rows }) => {
    const { statements, failure } = await traced(sql);
    expect(failure).toBeUndefined();
    const [one] = statements;
    expect(one?.locks.map(({ table, mode }) => [table, mode])).toEqual(expect.arrayContaining(locks));
    expect([one?.rewritten, one?.rowsTouched, one?.seen]).toEqual([rewritten, rows, "whole"]);
  });

  test("a dropped partitioned table keeps its name in the report", async () => {
    const { statements } = await traced("drop table trades");
    expect(statements[0]?.locks).toEqual(
      expect.arrayContaining([
        { table: "trades", mode: AX },
        { table: "trades_1", mode: AX },
      ]),
    );
  });

  test("what runs outside of a transaction is run, timed, and said not to be seen", async () => {
    const run = await traced(
      "create index concurrently orders_px on orders (px); alter table orders add column b int",
      {
        transactional: false,
        verify: "select 1 / indisvalid::int from pg_index where indexrelid = 'orders_px'::regclass;",
      },
    );
    expect(run.failure).toBeUndefined();
    expect(run.statements.map(({ seen }) => seen)).toEqual(["outside", "whole"]);
  });

  test("an index that a concurrent build left invalid is found", async () => {
    const run = await traced("create unique index concurrently one_side on orders (side)", { transactional: false });
    expect(run.failure).toMatchObject({ state: "23505", number: 1, in: "up" });
    expect(run.invalidIndexes).toEqual(["one_side"]);
  });

  test("a statement that takes no lock which tells of it is said to be seen partly", async () => {
    const { statements } = await traced("alter type side add value 'both' after 'sell'");
    expect(statements[0]?.seen).toBe("partly");
  });

  test("a failing statement is an answer with its place, and nothing of the file stays", async () => {
    const { failure } = await traced("alter table orders add column a int;\n\nupdate orders\n  set nothing = 1;");
    expect(failure).toMatchObject({
      in: "up",
      state: "42703",
      file: "0001_x.up.sql",
      line: 4,
      number: 2,
      column: "nothing",
    });
  });

  test("a verification that does not pass is the file's failure", async () => {
    const { failure } = await traced("alter table orders add column a int", { verify: "select 1 / 0;" });
    expect(failure).toMatchObject({ in: "verify", state: "22012", file: "0001_x.verify.sql" });
  });

  test("a lock_timeout that the file set for itself is seen", async () => {
    const { statements } = await traced("set local lock_timeout = 0; alter table orders add column a int");
    expect(statements[1]?.lockTimeoutMs).toBe(0);
  });
});

test("killed, a rehearsal leaves a clone that the next start removes", async () => {
  const url = await store();
  const program = fileURLToPath(new URL("processes/hold-trial.ts", import.meta.url));
  const child = spawn(process.execPath, [program, url], { stdio: ["ignore", "pipe", "inherit"] });
  const [name] = (await once(child.stdout, "data")) as [Buffer];
  const admin = await server.session(server.superUrl);
  const ours = async (): Promise<readonly unknown[]> =>
    (await admin.query("select datname from pg_database where datname like 'midflight%'")).rows;
  expect(await ours()).toHaveLength(2);
  child.kill("SIGKILL");
  await once(child, "exit");
  await until("the server has seen that it is gone", async () => {
    const { rows } = await admin.query("select 1 from pg_stat_activity where application_name like 'midflight trial%'");
    return rows.length === 0;
  });
  const ground = await trialsOn(url).open(never);
  expect(ground.facts.swept).toContain(String(name).trim());
  await ground.close();
  expect(await ours()).toEqual([]);
});
