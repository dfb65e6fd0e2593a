import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Client } from "pg";
import { identify } from "../../src/adapters/postgres/identify.ts";
import { openReader } from "../../src/adapters/postgres/read-only.ts";
import { postgresTrials } from "../../src/adapters/postgres/trials/trials.ts";
import type { PostgresTrialsOptions } from "../../src/adapters/postgres/trials/trials.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { TrialGround } from "../../src/ports/trials.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration, until } from "../support/migrations.ts";

const never = new AbortController().signal;
let server: TestServer;
let admin: Client;
beforeAll(async () => {
  server = await startTestServer();
  admin = await server.session(server.superUrl);
});
afterAll(() => server.stop());

const STORE = `
create table users (uid text primary key, email text not null, shard int not null);
create table orders (id int primary key, uid text not null references users, px numeric not null);
insert into users select 'u' || n, 'u' || n || '@example.test', n % 10 from generate_series(1, 300) n;
insert into orders select n, 'u' || (1 + n % 300), n from generate_series(1, 3000) n;`;

/** A store nobody is connected to. */
const store = async (sql = STORE): Promise<string> => {
  const url = await server.database();
  const owner = await server.session(url);
  await owner.query(sql);
  await owner.end();
  return url;
};

const trialsOn = (url: string, more: Partial<PostgresTrialsOptions> = {}) =>
  postgresTrials({
    url,
    roles: { gateway: url },
    content: { rows: "all", mask: [] },
    sessions: "ask",
    clock: systemClock,
    ...more,
  });

const ours = async (): Promise<readonly string[]> =>
  (
    await admin.query<{ datname: string }>("select datname from pg_database where datname like 'midflight%' order by 1")
  ).rows.map(({ datname }) => datname);
const ourSessions = async (): Promise<number> =>
  Number(
    (await admin.query("select count(*) from pg_stat_activity where application_name like 'midflight trial%'")).rows[0]
      ?.count,
  );

const using = async <T>(
  url: string,
  more: Partial<PostgresTrialsOptions>,
  use: (ground: TrialGround) => Promise<T>,
) => {
  const ground = await trialsOn(url, more).open(never);
  try {
    return await use(ground);
  } finally {
    await ground.close();
  }
};

describe("a ground for trials", () => {
  test("its clones are what the store is, and nothing is left of them", async () => {
    const url = await store();
    await using(url, {}, async (ground) => {
      const [one, two] = [await ground.clone(never), await ground.clone(never)];
      const changed = await one.run(migration("0001_x", { up: "delete from orders where id <= 10" }), "up", never);
      expect(changed.failure).toBeUndefined();
      expect(changed.statements.map(({ rowsTouched }) => rowsTouched)).toEqual([10]);
      const rows = async (clone: typeof one) => (await clone.look(never)).tables.map(({ rows: count }) => count);
      expect([await rows(one), await rows(two)]).toEqual([
        [2990, 300],
        [3000, 300],
      ]);
      expect(await ours()).toHaveLength(3);
    });
    expect([await ours(), await ourSessions()]).toEqual([[], 0]);
  });

  test("a store in use is refused, and the session is named", async () => {
    const url = await store();
    const user = await server.session(`${url}?application_name=desk-7`);
    await expect(trialsOn(url).open(never)).rejects.toMatchObject({
      code: "TRIAL_REFUSED",
      message: expect.stringMatching(/in use by pid \d+ \(desk-7, user venue_owner\)/),
    });
    await user.end();
    expect([await ours(), await ourSessions()]).toEqual([[], 0]);
  });

  test("where the environment says so, sessions are sent away and can come back", async () => {
    const url = await store();
    const user = await server.session(`${url}?application_name=desk-8`);
    await using(url, { sessions: "send-away" }, async (ground) => {
      expect(ground.facts.sentAway).toEqual([expect.stringContaining("desk-8")]);
      await expect(user.query("select 1")).rejects.toThrow(/terminat|not queryable|closed/i);
      const again = await server.session(url);
      expect((await again.query("select count(*)::int as n from orders")).rows).toEqual([{ n: 3000 }]);
    });
  });

  test("an owner who may not create databases is told what is missing", async () => {
    const url = new URL(await store());
    await admin.query("create role poor login password 'poor-password'");
    await admin.query(`alter database ${url.pathname.slice(1)} owner to poor`);
    [url.username, url.password] = ["poor", "poor-password"];
    await expect(trialsOn(url.href).open(never)).rejects.toMatchObject({
      code: "TRIAL_REFUSED",
      message: expect.stringContaining("permission denied to create database"),
      hint: expect.stringContaining("createdb"),
    });
  });

  test("what a dead rehearsal left is removed at the next start, what a living one needs is not", async () => {
    const url = await store();
    const owner = await server.session(url.replace(/\/test_\d+$/, "/postgres"));
    await using(await store(), {}, async (living) => {
      const clone = await living.clone(never);
      await owner.query("create database midflight_trial_0badcafe_1");
      await owner.query("create database midflight_template_0badcafe allow_connections false");
      await using(url, {}, async (ground) => {
        expect(ground.facts.swept).toEqual(["midflight_template_0badcafe", "midflight_trial_0badcafe_1"]);
        expect(await ours()).toContain(clone.name);
      });
      expect(await ours()).toContain(clone.name);
    });
    expect(await ours()).toEqual([]);
  });

  test("stopped while the copy is being made, it leaves nothing", async () => {
    const url = await store(`create table big as select n, repeat('x', 500) as t from generate_series(1, 200000) n`);
    const stop = new AbortController();
    const opening = trialsOn(url).open(stop.signal);
    await until("the copy is being made", async () => {
      const { rows } = await admin.query(
        "select 1 from pg_stat_activity where query like 'create database midflight%'",
      );
      return rows.length > 0;
    });
    stop.abort(new Error("enough"));
    await expect(opening).rejects.toThrow("enough");
    expect([await ours(), await ourSessions()]).toEqual([[], 0]);
  });
});

describe("a sample", () => {
  test("keeps some rows and all that they refer to, hides what is masked, and can still be cloned", async () => {
    const url = await store();
    await using(url, { content: { rows: 50, mask: ["users.email"] } }, async (ground) => {
      const clone = await ground.clone(never);
      const { tables } = await clone.look(never);
      expect(tables.find(({ name }) => name === "public.orders")?.rows).toBe(50);
      const users = tables.find(({ name }) => name === "public.users")?.rows ?? 0;
      expect(users).toBeGreaterThanOrEqual(50);
      expect(users).toBeLessThan(101);
      const samples = await clone.sample(
        [{ name: "mail", sql: "select 1", params: "select email, shard::text as cohort from users" }],
        never,
      );
      expect(samples["mail"]?.every(({ values }) => !String(values[0]).includes("@"))).toBe(true);
      expect(new Set(samples["mail"]?.map(({ values }) => values[0])).size).toBe(users);
    });
  });

  test.each([
    { column: "users.nothing", why: "no such column" },
    { column: "users.uid", why: "a foreign key uses it" },
    { column: "orders.px", why: "required numeric" },
  ])("$column cannot be masked: $why", async ({ column, why }) => {
    await expect(
      trialsOn(await store(), { content: { rows: "all", mask: [column] } }).open(never),
    ).rejects.toMatchObject({ code: "TRIAL_MASK", message: expect.stringContaining(why) });
    expect(await ours()).toEqual([]);
  });
});

describe("production", () => {
  test("is told from a copy by system, start and database", async () => {
    const [one, two] = [await store(), await store()];
    const [a, again, b] = [await identify(one, never), await identify(one, never), await identify(two, never)];
    expect(again).toEqual(a);
    expect({ ...b, place: a.place, database: a.database }).toEqual(a);
    expect(b.database).not.toBe(a.database);
  });

  test.each([
    ["25006", "insert into public.users values ('x', 'x', 1)"],
    ["25006", "create table public.t (a int)"],
    ["25006", "select nextval('public.s')"],
    ["25001", "set transaction read write"],
    ["42601", "commit; insert into public.users values ('x', 'x', 1)"],
    ["42601", "insert into public.users values ('x', 'x', 1); commit"],
  ])("cannot be written to: %s %s", async (code, sql) => {
    const url = await store(`${STORE} create sequence s`);
    const reader = await openReader(url, { name: "test" }, never);
    await expect(reader.query(sql)).rejects.toMatchObject({ code });
    await reader.close();
  });

  test.each([
    ["set default_transaction_read_only = off"],
    ["select set_config('default_transaction_read_only', 'off', false)"],
    ["set session characteristics as transaction read write"],
    ["commit"],
    ["commit", "set default_transaction_read_only = off"],
  ])("stays closed after %s", async (...words) => {
    const url = await store();
    const reader = await openReader(url, { name: "test" }, never);
    for (const sql of words) await reader.query(sql);
    await expect(reader.query("delete from public.orders")).rejects.toMatchObject({ code: "25006" });
    await reader.close();
  });
});
