import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Client } from "pg";
import type { Budgets } from "../../src/adapters/postgres/budgets.ts";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Migration } from "../../src/plan/model.ts";
import type { Metadata } from "../../src/ports/metadata.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration } from "../support/migrations.ts";

const never = new AbortController().signal;
const fence = { epoch: 1, seq: 1 };

let server: TestServer;
let url: string;
let client: Client;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.database();
  client = await server.session(url);
  await client.query(
    "create table orders (id int primary key, px int not null, seen int); insert into orders select n, n % 100 from generate_series(1, 2000) n",
  );
});

const metadata = (budgets: Partial<Budgets> = {}): Metadata =>
  postgresMetadata({ url, clock: systemClock, seed: 1, budgets });
const stepwise = (sql: { readonly up: string; readonly verify?: string; readonly down?: string }): Migration =>
  migration("0001_steps", { ...sql, transactional: false });
const go = (direction: "up" | "down", one: Migration, store = metadata()) =>
  store.migrate({ direction, names: [one.name], migrations: [one] }, fence, never);
const validityOf = async (index: string): Promise<boolean | undefined> => {
  const { rows } = await client.query("select indisvalid from pg_index where indexrelid = to_regclass($1)", [index]);
  return rows[0]?.indisvalid;
};
const progress = async () =>
  (await client.query("select state, applied, total, about_to, error_statement from midflight.history")).rows[0];

const INDEX = stepwise({
  up: "-- midflight: no-transaction\nset maintenance_work_mem = '16MB';\ncreate index concurrently orders_px on orders (px);\nupdate orders set seen = coalesce(seen, 0) + 1;\nvacuum orders;",
  verify: "select 1 / indisvalid::int from pg_index where indexrelid = 'orders_px'::regclass;",
  down: "drop index concurrently orders_px;",
});

describe("a migration without a transaction", () => {
  test("goes up statement by statement, and down again, and leaves the store as it was found", async () => {
    const before = await metadata().observe([INDEX], never);
    const { reports } = await go("up", INDEX);
    expect(reports).toMatchObject([{ name: "0001_steps", direction: "up", statements: 4 }]);
    expect(await validityOf("orders_px")).toBe(true);
    expect(await progress()).toEqual({ state: "applied", applied: 4, total: 4, about_to: null, error_statement: null });
    expect((await go("up", INDEX)).reports).toEqual([]);
    expect((await go("down", INDEX)).state).toEqual(before);
    expect((await go("down", INDEX)).reports).toEqual([]);
  });

  test("that stopped between two statements goes on behind the last one that is done", async () => {
    const half = stepwise({ ...INDEX, up: INDEX.up.replace("vacuum orders;", "select 1 / 0;") });
    await expect(go("up", half)).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringMatching(
        /0001_steps\.up\.sql:5: statement 4 of 4 failed with 22012.*3 of its statements stay/s,
      ),
    });
    expect(await progress()).toEqual({ state: "applying", applied: 3, total: 4, about_to: null, error_statement: 4 });
    expect((await metadata().observe([half], never)).applied).toEqual([]);
    // The statement that failed may be mended.
    await go("up", INDEX);
    const { rows } = await client.query("select distinct seen from orders");
    expect(rows).toEqual([{ seen: 1 }]);
    expect((await metadata().observe([INDEX], never)).applied).toHaveLength(1);
  });

  test("is refused when a statement that is done has changed", async () => {
    const half = stepwise({ ...INDEX, up: INDEX.up.replace("vacuum orders;", "select 1 / 0;") });
    await expect(go("up", half)).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    const changed = stepwise({ ...INDEX, up: INDEX.up.replace("+ 1;", "+ 2;") });
    await expect(go("up", changed)).rejects.toMatchObject({
      code: "HISTORY_REWRITTEN",
      message: expect.stringMatching(/0001_steps\.up\.sql:4: statement 3 of 4.*[0-9a-f]{64}.*[0-9a-f]{64}/),
    });
  });

  test("that stopped half-way can be taken back", async () => {
    const before = await metadata().observe([], never);
    const half = stepwise({ ...INDEX, up: INDEX.up.replace("vacuum orders;", "select 1 / 0;") });
    await expect(go("up", half)).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    expect((await go("down", half)).state).toEqual(before);
  });

  test("looks whether an index was built by the runner that died, instead of building it twice", async () => {
    const half = stepwise({ ...INDEX, up: INDEX.up.replace("create index", "select 1 / 0;\ncreate index") });
    await expect(go("up", half)).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
    // As if the runner had died after the server built the index, and before it noted that.
    await client.query("update midflight.history set about_to = 2; create index orders_px on orders (px)");
    await go("up", INDEX);
    expect(await progress()).toMatchObject({ state: "applied", applied: 4 });
  });

  test("clears an INVALID index away and builds it anew", async () => {
    await client.query("create index orders_px on orders (px)");
    const admin = await server.session(adminUrl());
    await admin.query("update pg_index set indisvalid = false where indexrelid = 'orders_px'::regclass");
    const guarded = stepwise({
      ...INDEX,
      up: INDEX.up.replace("concurrently orders_px", "concurrently if not exists orders_px"),
    });
    await go("up", guarded);
    expect(await validityOf("orders_px")).toBe(true);
  });

  test("leaves no INVALID index behind when the data refuse a unique one", async () => {
    const unique = stepwise({
      up: "create unique index concurrently orders_px on orders (px);",
      down: "drop index concurrently if exists orders_px;",
    });
    await expect(go("up", unique)).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringContaining("23505"),
    });
    expect(await validityOf("orders_px")).toBeUndefined();
  });

  test("clears the INVALID index away when it had to wait too long for old snapshots", async () => {
    const snapshot = await server.session(url);
    await snapshot.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
    const impatient = metadata({ concurrentLockTimeoutMs: 1_200, concurrentTries: 1 });
    const outcome = go("up", INDEX, impatient);
    await expect(outcome).rejects.toMatchObject({
      code: "MIGRATION_LOCKED",
      message: expect.stringMatching(/0001_steps\.up\.sql:3.*pid \d+/s),
    });
    await snapshot.query("commit");
    await go("up", INDEX);
    expect(await validityOf("orders_px")).toBe(true);
  });

  test("does not guess whether a procedure of a runner that died took effect", async () => {
    await client.query(
      "create procedure fill() language plpgsql as $$ begin update orders set seen = 1; commit; perform 1 / 0; end $$",
    );
    const opaque = stepwise({ up: "call fill();" });
    await expect(go("up", opaque)).rejects.toMatchObject({ message: expect.stringContaining("22012") });
    await expect(go("up", opaque)).rejects.toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringContaining("nothing tells whether it took effect"),
    });
    await go("down", opaque);
  });

  test("rebuilds an index concurrently, and clears away what an earlier try left", async () => {
    await client.query("create index orders_px on orders (px); create index orders_px_ccnew on orders (px)");
    const admin = await server.session(adminUrl());
    await admin.query("update pg_index set indisvalid = false where indexrelid = 'orders_px_ccnew'::regclass");
    await go("up", stepwise({ up: "reindex index concurrently orders_px;" }));
    expect(await validityOf("orders_px")).toBe(true);
    expect(await validityOf("orders_px_ccnew")).toBeUndefined();
  });

  test("detaches a partition concurrently, also when a runner died in the middle of it", async () => {
    await client.query(
      "create table trades (id int) partition by range (id); create table trades_1 partition of trades for values from (1) to (10); create table trades_2 partition of trades for values from (10) to (20)",
    );
    const parts = [
      ["trades_1", "from (1) to (10)"],
      ["trades_2", "from (10) to (20)"],
    ] as const;
    const detach = stepwise({
      up: parts.map(([part]) => `alter table trades detach partition ${part} concurrently;`).join("\n"),
      // The server keeps the bounds as a check of their own.
      down: parts
        .map(
          ([part, bounds]) =>
            `alter table trades attach partition ${part} for values ${bounds};\nalter table ${part} drop constraint ${part}_id_check;`,
        )
        .join("\n"),
    });
    const before = await metadata().observe([], never);
    const reader = await server.session(url);
    await reader.query("begin; select * from trades");
    const isPending = async () =>
      (await client.query("select 1 from pg_inherits where inhdetachpending")).rows.length > 0;
    await expect(
      go("up", detach, metadata({ concurrentLockTimeoutMs: 300, concurrentTries: 1 })),
    ).rejects.toMatchObject({ code: "MIGRATION_LOCKED" });
    expect(await isPending()).toBe(true);
    await reader.query("commit");
    await go("up", detach);
    const { rows } = await client.query(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'trades'::regclass",
    );
    expect(rows).toEqual([]);
    expect((await go("down", detach)).state.fingerprint).toBe(before.fingerprint);
  });

  test("protects readers with short waits in its ordinary statements too", async () => {
    const reader = await server.session(url);
    await reader.query("begin; select count(*) from orders");
    const alter = stepwise({ up: "alter table orders add column a int;\nalter table orders add column b int;" });
    await expect(go("up", alter, metadata({ lockTries: 2 }))).rejects.toMatchObject({ code: "MIGRATION_LOCKED" });
    await reader.query("commit");
    expect((await go("up", alter)).reports).toMatchObject([{ statements: 2 }]);
  });

  test("is refused while another session builds the same index", async () => {
    const snapshot = await server.session(url);
    await snapshot.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
    const builder = await server.session(url);
    const building = builder.query("create index concurrently orders_px on orders (px)");
    const store = metadata();
    while ((await validityOf("orders_px")) === undefined) await systemClock.sleep(20, never);
    await expect(go("up", INDEX, store)).rejects.toMatchObject({
      code: "MIGRATION_LOCKED",
      message: expect.stringContaining("is building"),
    });
    await snapshot.query("commit");
    await building;
    expect(await validityOf("orders_px")).toBe(true);
  });
});

const adminUrl = (): string => {
  const admin = new URL(server.superUrl);
  admin.pathname = new URL(url).pathname;
  return admin.href;
};
