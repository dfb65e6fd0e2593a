import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Migration } from "../../src/plan/model.ts";
import type { Metadata } from "../../src/ports/metadata.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration, until } from "../support/migrations.ts";

const never = new AbortController().signal;
const fence = { epoch: 1, seq: 1 };
const QUICK = migration("0001_slow", { up: "create table a (id int);", down: "drop table a;" });
const SLOW = { ...QUICK, up: `${QUICK.up}\nselect pg_sleep(20);` };

let server: TestServer;
let url: string;
let watcher: Client;
const children: ChildProcess[] = [];
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.database();
  watcher = await server.session(server.superUrl);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

const metadata = (at = url): Metadata => postgresMetadata({ url: at, clock: systemClock, seed: 1 });
const up = (one: Migration, store = metadata(), signal = never, by = fence) =>
  store.migrate({ direction: "up", names: [one.name], migrations: [one] }, by, signal);
const sessions = async (name: string): Promise<readonly number[]> => {
  const { rows } = await watcher.query(
    "select pid from pg_stat_activity where datname = $1 and application_name like $2",
    [new URL(url).pathname.slice(1), name],
  );
  return rows.map((row) => row.pid);
};
const WORKER = "midflight % 0001_%";
/** The session that sleeps within the migration. */
const sleeper = async (): Promise<number> => {
  let found: number | undefined;
  await until("the migration is under way", async () => {
    const { rows } = await watcher.query(
      "select pid from pg_stat_activity where datname = $1 and wait_event = 'PgSleep'",
      [new URL(url).pathname.slice(1)],
    );
    found = rows[0]?.pid;
    return found !== undefined;
  });
  return found as number;
};
const conductor = (migrations: readonly Migration[], budgets = {}): ChildProcess => {
  const program = fileURLToPath(new URL("processes/migrate.ts", import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify({ url, migrations, budgets })], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
};
/** Attaches the expectation at once, so that a rejection never stands alone. */
const unreachable = (outcome: Promise<unknown>) =>
  expect(outcome).rejects.toMatchObject({ code: "METADATA_UNREACHABLE" });

describe("a migration that is cut short", () => {
  test("leaves nothing when its session is ended by an administrator", async () => {
    const before = await metadata().observe([SLOW], never);
    const refused = unreachable(up(SLOW));
    await watcher.query("select pg_terminate_backend($1)", [await sleeper()]);
    await refused;
    expect(await metadata().observe([SLOW], never)).toEqual(before);
    await up(QUICK);
  });

  test("leaves nothing when its runner is killed, and the next runner need not wait long", async () => {
    const before = await metadata().observe([SLOW], never);
    const child = conductor([SLOW]);
    await sleeper();
    child.kill("SIGKILL");
    await once(child, "exit");
    const begun = performance.now();
    const { state, reports } = await up(QUICK);
    expect(reports).toHaveLength(1);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(
      (await metadata().migrate({ direction: "down", names: ["0001_slow"], migrations: [QUICK] }, fence, never)).state,
    ).toEqual(before);
    expect(state.fingerprint).not.toBe(before.fingerprint);
  });

  test("goes on where its killed runner was, statement by statement", async () => {
    const steps = (third: string) => ({
      ...QUICK,
      transactional: false,
      up: `create table a (id int);\ninsert into a values (1);\n${third}\ninsert into a values (2);`,
    });
    const child = conductor([steps("select pg_sleep(20);")]);
    await sleeper();
    child.kill("SIGKILL");
    await once(child, "exit");
    await up(steps("select pg_sleep(0);"));
    const client = await server.session(url);
    expect((await client.query("select id from a order by id")).rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test("does not hold its locks for long when its runner freezes", async () => {
    const child = conductor([{ ...QUICK, up: `${QUICK.up}\nselect pg_sleep(1);` }], { idleInTransactionMs: 300 });
    await sleeper();
    child.kill("SIGSTOP");
    await until(
      "the server has ended the frozen runner's transaction",
      async () => (await sessions(WORKER)).length === 0,
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    expect((await up(QUICK)).reports).toHaveLength(1);
  });

  test("is cancelled and rolled back when its order is withdrawn", async () => {
    const before = await metadata().observe([SLOW], never);
    const withdrawal = new AbortController();
    const reason = new Error("the guard tripped");
    const outcome = up(SLOW, metadata(), withdrawal.signal).catch((error: unknown) => error);
    await sleeper();
    const begun = performance.now();
    withdrawal.abort(reason);
    expect(await outcome).toBe(reason);
    expect(performance.now() - begun).toBeLessThan(1_500);
    await until("no session is left", async () => (await sessions("midflight %")).length === 0);
    expect(await metadata().observe([SLOW], never)).toEqual(before);
  });

  test("leaves no half-built index when its order is withdrawn and it is taken back", async () => {
    const client = await server.session(url);
    await client.query("create table orders (id int)");
    const index = migration("0001_index", {
      transactional: false,
      up: "create index concurrently orders_id on orders (id);",
      down: "drop index concurrently orders_id;",
    });
    const before = await metadata().observe([index], never);
    const snapshot = await server.session(url);
    await snapshot.query("begin isolation level repeatable read; select 1 from pg_class limit 1");
    const withdrawal = new AbortController();
    const reason = new Error("the guard tripped");
    const outcome = up(index, metadata(), withdrawal.signal).catch((error: unknown) => error);
    const found = async () =>
      (await client.query("select 1 from pg_class where relname = 'orders_id'")).rows.length > 0;
    await until("the index is half built", found);
    withdrawal.abort(reason);
    expect(await outcome).toBe(reason);
    await snapshot.query("commit");
    expect(await found()).toBe(true);
    const back = { direction: "down", names: ["0001_index"], migrations: [index] } as const;
    expect((await metadata().migrate(back, fence, never)).state).toEqual(before);
  });

  test("ends a verification at once when nobody waits for it any more", async () => {
    const one = { ...QUICK, verify: "select pg_sleep(20) where exists (select from a);" };
    await up(one);
    const client = await server.session(url);
    await client.query("insert into a values (1)");
    const withdrawal = new AbortController();
    const reason = new Error("enough");
    const outcome = metadata()
      .verify(["0001_slow"], [one], withdrawal.signal)
      .catch((error: unknown) => error);
    const pid = await sleeper();
    withdrawal.abort(reason);
    expect(await outcome).toBe(reason);
    await until("its session is gone", async () => !(await sessions("midflight verify")).includes(pid));
  });

  test("is not applied twice when the answer to its COMMIT is lost: the error says so, and a repeated order looks first", async () => {
    const proxy = await cuttingProxy(url);
    try {
      proxy.cutAtCommit("after");
      const store = metadata(proxy.through(url));
      await expect(up(QUICK, store)).rejects.toMatchObject({
        code: "METADATA_UNREACHABLE",
        message: expect.stringMatching(/lost during COMMIT, so it is unknown whether 0001_slow is applied/),
      });
      expect((await up(QUICK, store)).reports).toEqual([]);
      expect((await store.observe([QUICK], never)).applied).toHaveLength(1);
      proxy.cutAtCommit("before");
      await expect(
        store.migrate({ direction: "down", names: ["0001_slow"], migrations: [QUICK] }, fence, never),
      ).rejects.toMatchObject({ message: expect.stringContaining("unknown whether 0001_slow is taken back") });
      expect(
        (await store.migrate({ direction: "down", names: ["0001_slow"], migrations: [QUICK] }, fence, never)).reports,
      ).toHaveLength(1);
    } finally {
      await proxy.close();
    }
  });

  test("lets a newer conductor wait for the change of one that lost its lock, and refuses the old one after it", async () => {
    const slow = { ...QUICK, up: `${QUICK.up}\nselect pg_sleep(1.5);` };
    const old = unreachable(up(slow));
    await sleeper();
    const [keeper] = await sessions("midflight 1.1");
    await watcher.query("select pg_terminate_backend($1)", [keeper]);
    const newer = await up(slow, metadata(), never, { epoch: 2, seq: 1 });
    expect(newer.reports).toEqual([]);
    expect(newer.state.applied).toHaveLength(1);
    await old;
    await expect(up(slow)).rejects.toMatchObject({
      code: "FENCED",
      message: expect.stringMatching(/refused 1\.1: it has seen 2\.1/),
    });
  });

  // Last, since the server restarts and ends everybody's sessions.
  test("leaves nothing when a process of the server dies", async () => {
    const before = await metadata().observe([SLOW], never);
    const refused = unreachable(up(SLOW));
    process.kill(await sleeper(), "SIGKILL");
    await refused;
    let after: unknown;
    await until("the server is back", async () => {
      after = await metadata()
        .observe([SLOW], never)
        .catch(() => undefined);
      return after !== undefined;
    });
    expect(after).toEqual(before);
    expect((await up(QUICK)).reports).toHaveLength(1);
  });
});
