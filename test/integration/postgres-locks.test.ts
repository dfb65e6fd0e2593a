import { Pool } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import type { Budgets } from "../../src/adapters/postgres/budgets.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Metadata } from "../../src/ports/metadata.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration, until } from "../support/migrations.ts";

const never = new AbortController().signal;
const fence = { epoch: 1, seq: 1 };
const ADD_BAND = migration("0001_band", {
  up: "alter table orders add column band int;",
  down: "alter table orders drop column band;",
});
const order = { direction: "up", names: ["0001_band"], migrations: [ADD_BAND] } as const;

let server: TestServer;
let url: string;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.database();
  const client = await server.session(url);
  await client.query(
    "create table orders (id int primary key, px numeric not null); insert into orders select n, n from generate_series(1, 1000) n",
  );
});

const metadata = (budgets: Partial<Budgets> = {}): Metadata =>
  postgresMetadata({ url, clock: systemClock, seed: 1, budgets });

/** Somebody who has read the orders, and then does nothing. */
const idleReader = async (): Promise<{ readonly pid: number; leave(): Promise<void> }> => {
  const client = await server.session(url);
  await client.query("set application_name = 'analytics'; begin; select count(*) from orders");
  const { rows } = await client.query("select pg_backend_pid() as pid");
  return { pid: rows[0].pid, leave: async () => void (await client.query("commit")) };
};

describe("locks of a migration", () => {
  test("while a forgotten reader holds up a change of the orders' table, no order fails", async () => {
    const reader = await idleReader();
    const pool = new Pool({ connectionString: url, max: 10, statement_timeout: 1_000 });
    const latencies: number[] = [];
    const failures: unknown[] = [];
    const stopped = new AbortController();
    const trade = async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        const begun = performance.now();
        await pool
          .query("update orders set px = px + 1 where id = $1", [1 + (latencies.length % 1_000)])
          .catch((error: unknown) => failures.push(error));
        latencies.push(performance.now() - begun);
        await systemClock.sleep(20, never);
      }
    };
    const traders = [trade(), trade()];
    const change = metadata().migrate(order, fence, never);
    const waiting = await server.session(server.superUrl);
    // Three waits are enough to see that orders pass between them.
    const waits = new Set<string>();
    await until("the change has waited three times", async () => {
      const { rows } = await waiting.query(
        "select query_start::text as begun from pg_stat_activity where application_name like 'midflight%0001_band' and wait_event_type = 'Lock'",
      );
      for (const { begun } of rows) waits.add(begun);
      return waits.size >= 3;
    });
    await reader.leave();
    const { reports } = await change;
    stopped.abort();
    await Promise.all(traders);
    await pool.end();
    expect(failures).toEqual([]);
    expect(latencies.length).toBeGreaterThan(20);
    expect(Math.max(...latencies)).toBeLessThan(900);
    expect(reports[0]?.lockRetries).toBeGreaterThanOrEqual(2);
  });

  test("a change that never gets its lock gives up, names who is in the way, and leaves nothing", async () => {
    const reader = await idleReader();
    const store = metadata({ lockTries: 2 });
    const before = await store.observe([ADD_BAND], never);
    const named = new RegExp(
      `0001_band\\.up\\.sql:1: statement 1 of 1 .*2 tries.*pid ${reader.pid} \\(analytics, .*idle in transaction.*query begun 20.*Z`,
      "s",
    );
    await expect(store.migrate(order, fence, never)).rejects.toMatchObject({
      code: "MIGRATION_LOCKED",
      message: expect.stringMatching(named),
    });
    expect(await store.observe([ADD_BAND], never)).toEqual(before);
    await reader.leave();
    expect((await store.migrate(order, fence, never)).reports).toHaveLength(1);
  });

  test("a change gives up when its time is over, however many tries are left", async () => {
    const reader = await idleReader();
    await expect(metadata({ lockTotalMs: 300 }).migrate(order, fence, never)).rejects.toMatchObject({
      code: "MIGRATION_LOCKED",
    });
    await reader.leave();
  });

  test("only a lock time-out is tried again", async () => {
    const slow = migration("0001_slow", { up: "select pg_sleep(5);" });
    const begun = performance.now();
    const failing = metadata({ statementTimeoutMs: 200 }).migrate(
      { direction: "up", names: ["0001_slow"], migrations: [slow] },
      fence,
      never,
    );
    await expect(failing).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringContaining("57014"),
    });
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  test("a runner that finds another at work waits a while, and says who it is", async () => {
    const other = await server.session(url);
    await other.query("set application_name = 'midflight 9.9'; select pg_try_advisory_lock(1835623526, 1)");
    const waiting = metadata({ runnerLockMs: 300 }).migrate(order, fence, never);
    await expect(waiting).rejects.toMatchObject({
      code: "MIGRATION_LOCKED",
      message: expect.stringMatching(/pid \d+ \(midflight 9\.9\) from 127\.0\.0\.1, there since 20/),
    });
    const patient = metadata().migrate(order, fence, never);
    await other.query("select pg_advisory_unlock(1835623526, 1)");
    expect((await patient).reports).toHaveLength(1);
  });

  test("a concurrent index waits for old snapshots without falling apart, and another runner does not disturb it", async () => {
    const index = migration("0001_px", {
      transactional: false,
      up: "create index concurrently orders_px on orders (px);",
      down: "drop index concurrently orders_px;",
    });
    const work = { direction: "up", names: ["0001_px"], migrations: [index] } as const;
    const snapshot = await server.session(url);
    await snapshot.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
    const both = [metadata().migrate(work, fence, never), metadata().migrate(work, fence, never)];
    const watcher = await server.session(server.superUrl);
    await until("the index waits", async () => {
      const { rows } = await watcher.query(
        "select 1 from pg_stat_activity where application_name like 'midflight%0001_px' and wait_event_type = 'Lock'",
      );
      return rows.length > 0;
    });
    // Longer than any wait of the catalogue class.
    await systemClock.sleep(500, never);
    await snapshot.query("commit");
    expect((await Promise.all(both)).flatMap((one) => one.reports)).toHaveLength(1);
    await until(
      "no session is left",
      async () =>
        (await watcher.query("select 1 from pg_stat_activity where application_name like 'midflight%0001_px'")).rows
          .length === 0,
    );
  });
});
