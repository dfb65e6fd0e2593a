import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresFacts } from "../../src/adapters/postgres/facts/facts.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { ReferenceTable } from "../../src/plan/model.ts";
import type { EnvironmentFact } from "../../src/ports/facts.ts";
import { compare } from "../../src/rehearsal/parity/compare.ts";
import { startTestServer, type TestServer } from "../support/database.ts";

const never = new AbortController().signal;
const INSTRUMENTS: ReferenceTable = { table: "public.instruments", key: ["inst_id"], ignore: ["inst_id_code"] };
const STORE = `
create table public.instruments (inst_id text primary key, tick_sz numeric not null, inst_id_code int, listed timestamptz);
create table public.orders (id bigint primary key, inst_id text references public.instruments, px double precision, payload bytea);
create index orders_by_instrument on public.orders (inst_id);
create function public.f(a int) returns int language sql as 'select a + 1';
insert into public.instruments values ('BTC-USDT', 0.1, 1, '2026-01-01 00:00+00'), ('ETH-USDT', 0.01, 2, null);
insert into public.orders values (1, 'BTC-USDT', 0.1, '\\x00ff');
`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await (await server.session(server.superUrl)).query("create role stranger nologin");
}, 60_000);
afterAll(() => server.stop());

async function store(sql = ""): Promise<string> {
  const url = await server.database();
  const session = await server.session(url);
  await session.query(`${STORE} ${sql}`);
  return url;
}

const factsOf = (url: string, reference: readonly ReferenceTable[] = [INSTRUMENTS]) =>
  postgresFacts({ component: "db", url, reference, clock: systemClock }).collect(never);

/** Ids that differ between a store and one like it to which this was done. Which database it is differs always. */
async function changedBy(sql: string): Promise<readonly string[]> {
  const [before, after] = [await store(), await store(sql)];
  const side = (name: string, facts: readonly EnvironmentFact[]) => ({
    name,
    class: "demo" as const,
    facts: facts.filter(({ group }) => group !== "identity"),
  });
  const [a, b] = [side("a", await factsOf(before)), side("b", await factsOf(after))];
  return compare(a, b, [], 0).differences.map(({ id }) => id);
}

test("two stores that were made alike are alike", async () => {
  expect(await changedBy("")).toEqual([]);
});

test.each([
  ["alter table public.orders add column note text", "db/schema/col/public.orders.note"],
  ["alter table public.orders alter px type numeric", "db/schema/col/public.orders.px"],
  ["drop index public.orders_by_instrument", "orders_by_instrument"],
  ["update public.instruments set tick_sz = 0.5 where inst_id = 'BTC-USDT'", "db/reference/instruments/BTC-USDT"],
  ["insert into public.instruments values ('SOL/USDT, *', 1)", "db/reference/instruments/SOL%2FUSDT%2C%20%2A"],
  ["alter table public.instruments drop listed", "db/reference/instruments/BTC-USDT"],
  ["create or replace function public.f(a int) returns int language sql as 'select a + 2'", "public.f"],
  ["grant execute on function public.f(int) to pg_monitor", "db/right/function/public.f(a integer)"],
  ["grant select on public.orders to gateway", "db/schema/acl/public.orders"],
  ["create publication p for table public.orders", "db/schema/publication/p"],
  ["create statistics public.s on inst_id, px from public.orders", "db/schema/statistics/public.s"],
  ["grant select on public.orders to stranger", "db/role/stranger"],
])("one change is found and named: %s", async (sql, id) => {
  expect((await changedBy(sql)).filter((one) => one.includes(id))).not.toEqual([]);
});

test.each([
  [
    "set for the database",
    (name: string) => `alter database ${name} set lock_timeout = '5s'`,
    "db/setting/lock_timeout",
  ],
  [
    "set for one role",
    (name: string) => `alter role gateway in database ${name} set statement_timeout = '7s'`,
    "db/role-setting/gateway/statement_timeout",
  ],
])("a setting %s is found", async (_, sql, id) => {
  const [before, after] = [await store(), await store()];
  const session = await server.session(server.superUrl);
  await session.query(sql(new URL(after).pathname.slice(1)));
  const [a, b] = [await factsOf(before), await factsOf(after)];
  const value = (facts: readonly EnvironmentFact[]) => facts.find((fact) => fact.id === id)?.value;
  expect(value(a)).not.toEqual(value(b));
  expect(value(b)).toBeDefined();
});

test("a value that an application keeps in a setting is never told, only that it is another one", async () => {
  const url = await store();
  const session = await server.session(server.superUrl);
  await session.query(`alter database ${new URL(url).pathname.slice(1)} set app.api_key = 'hunter2'`);
  const facts = JSON.stringify(await factsOf(url));
  expect(facts).not.toContain("hunter2");
  expect(facts).toContain("app.api_key");
});

test("neither rows of users nor the password of the address are among the facts", async () => {
  const url = await store("insert into public.orders values (424242, 'ETH-USDT', 31337, '\\xdeadbeef')");
  const text = JSON.stringify(await factsOf(url));
  expect(text).not.toContain("424242");
  expect(text).not.toContain("deadbeef");
  expect(text).not.toContain(new URL(url).password);
});

test("two databases of one server are recognised as one place", async () => {
  const side = (facts: readonly EnvironmentFact[], name: string) => ({ name, class: "demo" as const, facts });
  const [one, other] = [await store(), await store()];
  const meeting = compare(side(await factsOf(one), "a"), side(await factsOf(other), "b"), [], 0).differences;
  expect(meeting.map(({ id, why }) => [id, why])).toEqual([["db/identity", "both are on the very same server"]]);
});

test("a server is in step with the machine that it runs on", async () => {
  const facts = await factsOf(await store());
  expect(facts.find(({ id }) => id === "db/clock")?.value).toBe("in step with this machine");
});

describe("a reference table", () => {
  const only = async (sql: string, table: ReferenceTable) =>
    (await factsOf(await store(sql), [table])).filter(({ group }) => group === "reference");

  test("that is not there, or lacks its key, is told and fails nothing", async () => {
    const missing = { table: "public.bands", key: ["id"], ignore: [] };
    expect(await only("", missing)).toMatchObject([{ id: "db/reference/bands", value: "not there" }]);
    expect(await only("", { ...INSTRUMENTS, key: ["isin"] })).toMatchObject([{ value: "not there: no column isin" }]);
  });

  test.each([
    [
      "whose key does not tell its rows apart",
      "insert into public.orders values (2, 'BTC-USDT')",
      ["inst_id"],
      /several rows with the key BTC-USDT/,
    ],
    [
      "that holds users' rows",
      "insert into public.orders select g, null from generate_series(10, 50020) g",
      ["id"],
      /more than 50000 rows/,
    ],
  ])("%s is refused", async (_, sql, key, says) => {
    await expect(only(sql, { table: "public.orders", key, ignore: [] })).rejects.toMatchObject({
      code: "REFERENCE_UNREADABLE",
      message: expect.stringMatching(says) as unknown,
    });
  });

  test("that this user may not read is refused, and the right is named", async () => {
    const url = await store();
    const session = await server.session(server.superUrl);
    const gateway = new URL(server.gatewayUrl);
    gateway.pathname = new URL(url).pathname;
    await session.query(`grant connect on database ${gateway.pathname.slice(1)} to gateway`);
    await expect(factsOf(gateway.href)).rejects.toMatchObject({
      code: "REFERENCE_UNREADABLE",
      hint: expect.stringContaining("grant") as unknown,
    });
  });

  test("whose rows a policy hides is refused, and not compared by half", async () => {
    const hidden =
      "alter table public.instruments enable row level security; alter table public.instruments force row level security";
    await expect(only(hidden, INSTRUMENTS)).rejects.toMatchObject({ code: "REFERENCE_UNREADABLE" });
  });
});

test("collecting is stopped by its signal, and by a table that somebody holds", async () => {
  const url = await store();
  await expect(
    postgresFacts({ component: "db", url, reference: [], clock: systemClock }).collect(
      AbortSignal.abort(new Error("no")),
    ),
  ).rejects.toThrow("no");
  const holder = await server.session(url);
  await holder.query("begin; lock table public.instruments in access exclusive mode");
  await expect(factsOf(url)).rejects.toMatchObject({ code: "METADATA_UNREACHABLE" });
  await holder.query("rollback");
}, 30_000);
