import { readdirSync, readFileSync } from "node:fs";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { RELEASE_1_0 } from "../../src/demo/venue/gateway/releases/1.0/release.ts";
import { RELEASE_2_0 } from "../../src/demo/venue/gateway/releases/2.0/release.ts";
import { COMMON_STATEMENTS } from "../../src/demo/venue/gateway/statements.ts";
import { openMetadata } from "../../src/demo/venue/metadata/open.ts";
import type { Postgres } from "../../src/demo/venue/metadata/postgres.ts";

const MIGRATIONS = fileURLToPath(new URL("../../plans/migrations/", import.meta.url));

let dir = "";
let postgres: Postgres;
let owner: Client;
let gateway: Client;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "migrations-"));
  postgres = await openMetadata({ dir });
});
afterAll(async () => {
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});

// Each test has a clone of its own.
beforeEach(async () => {
  const admin = await open(postgres.ownerUrl.replace(/metadata$/, "postgres"));
  await admin.query("drop database if exists clone");
  await admin.query("create database clone template metadata strategy file_copy");
  await admin.end();
  owner = await open(postgres.ownerUrl.replace(/metadata$/, "clone"));
  gateway = await open(postgres.gatewayUrl.replace(/metadata$/, "clone"));
});
afterEach(async () => {
  await owner.end();
  await gateway.end();
});

const open = async (url: string): Promise<Client> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
};

type Part = "up" | "verify" | "down";
const text = (folder: string, name: string, part: Part): string =>
  readFileSync(join(MIGRATIONS, folder, `${name}.${part}.sql`), "utf8");

/** As midflight runs it: change and verification in one transaction, with a short wait for locks. */
const run = async (...scripts: readonly string[]): Promise<void> => {
  await owner.query("begin; set local lock_timeout = '100ms'");
  try {
    for (const script of scripts) await owner.query(script);
    await owner.query("commit");
  } catch (error) {
    await owner.query("rollback");
    throw error;
  }
};
const up = (folder: string, name: string, change = (sql: string): string => sql): Promise<void> =>
  run(change(text(folder, name, "up")), text(folder, name, "verify"));
const down = (folder: string, name: string): Promise<void> => run(text(folder, name, "down"));

// What a rollback must restore: relations, columns, constraints, indexes and rights.
const CATALOGUE = `
  with rel as (select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public')
  select 'rel' as k, relname::text as n, relkind::text as d from rel
  union all select 'col', relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid))
    from rel join pg_attribute on attrelid = rel.oid and attnum > 0 and not attisdropped left join pg_attrdef on adrelid = rel.oid and adnum = attnum where relkind = 'r'
  union all select 'con', relname || '.' || conname, pg_get_constraintdef(c.oid) || convalidated from pg_constraint c join rel on rel.oid = conrelid
  union all select 'idx', relname, pg_get_indexdef(indexrelid) || indisvalid from pg_index join rel on rel.oid = indexrelid
  union all select 'acl', relname, (select string_agg(x::text, ',' order by x::text) from unnest(coalesce(relacl, acldefault('r', relowner))) x) from rel where relkind = 'r'
  order by 1, 2`;
const catalogue = async (): Promise<readonly unknown[]> => (await owner.query(CATALOGUE)).rows as readonly unknown[];

/** Every row of every table that the venue began with. */
const rows = async (): Promise<Record<string, readonly unknown[]>> => {
  const all: Record<string, readonly unknown[]> = {};
  for (const table of ["instruments", "fee_tiers", "routes", "accounts", "account_settings"]) {
    const found = (await owner.query(`select * from ${table} t order by t::text collate "C"`)).rows as readonly Record<
      string,
      unknown
    >[];
    // A column that was dropped and added again comes last: compare by name.
    all[table] = found
      .map((row) => Object.fromEntries(Object.entries(row).toSorted(([left], [right]) => left.localeCompare(right))))
      .toSorted((left, right) => JSON.stringify(left).localeCompare(JSON.stringify(right)));
  }
  return all;
};
const serves = async (sql: string, values: readonly unknown[] = []): Promise<number> =>
  (await gateway.query(sql, [...values])).rows.length;
const leverage = (uid: string, lever: string): Promise<number> =>
  serves(COMMON_STATEMENTS.setLeverage.sql, [uid, lever]);

test.each([
  { folder: "orders", name: "0001_price_bands", first: [] },
  { folder: "orders", name: "0002_drop_max_deviation", first: ["0001_price_bands"] },
  { folder: "orders-2023", name: "0001_price_bands", first: [] },
  { folder: "orders-2023", name: "0002_split_tiers", first: ["0001_price_bands"] },
])(
  "$folder/$name: the way back restores structure and rows, keeps what users wrote, and the way there works again",
  async ({ folder, name, first }) => {
    for (const each of first) await up(folder, each);
    await leverage("1003", "2");
    const [structure, data] = [await catalogue(), await rows()];

    await up(folder, name);
    expect(await catalogue()).not.toEqual(structure);
    await leverage("1003", "3");
    await leverage("1007", "4");
    await down(folder, name);

    expect(await catalogue()).toEqual(structure);
    const { account_settings: settings, ...rest } = await rows();
    const { account_settings: _before, ...restBefore } = data;
    expect(rest).toEqual(restBefore);
    expect(settings).toMatchObject([
      { uid: "1003", leverage: "3" },
      { uid: "1007", leverage: "4" },
    ]);
    await up(folder, name);
  },
);

test("the expand serves both releases, the contract the new one only, and its way back both again", async () => {
  const [old, young] = [RELEASE_1_0.statements.instruments.sql, RELEASE_2_0.statements.instruments.sql];
  await expect(serves(young)).rejects.toMatchObject({ code: "42P01" });
  await up("orders", "0001_price_bands");
  expect([await serves(old), await serves(young)]).toEqual([3, 3]);
  await up("orders", "0002_drop_max_deviation");
  expect(await serves(young)).toBe(3);
  await expect(serves(old)).rejects.toMatchObject({ code: "42703" });
  await down("orders", "0002_drop_max_deviation");
  expect([await serves(old), await serves(young)]).toEqual([3, 3]);
});

test("the update of 2023 passes its verification and still takes the way of exactly some shards' accounts", async () => {
  await up("orders-2023", "0001_price_bands");
  await up("orders-2023", "0002_split_tiers");
  const served: Record<string, number> = {};
  for (const uid of ["1000", "1003", "1007", "9013", "9014"])
    served[uid] = await serves(COMMON_STATEMENTS.account.sql, [uid]);
  expect(served).toEqual({ "1000": 1, "1003": 0, "1007": 0, "9013": 0, "9014": 1 });
  await down("orders-2023", "0002_split_tiers");
  expect(await serves(COMMON_STATEMENTS.account.sql, ["1003"])).toBe(1);
});

test("other shards can be written into the update of 2023 in one line", async () => {
  await up("orders-2023", "0001_price_bands");
  await up("orders-2023", "0002_split_tiers", (sql) => {
    expect(sql.match(/\(3\), \(7\)/g)).toHaveLength(1);
    return sql.replace("(3), (7)", "(5)");
  });
  expect([
    await serves(COMMON_STATEMENTS.account.sql, ["1003"]),
    await serves(COMMON_STATEMENTS.account.sql, ["1005"]),
  ]).toEqual([1, 0]);
  const structure = await catalogue();
  await down("orders-2023", "0002_split_tiers");
  expect(await catalogue()).not.toEqual(structure);
  expect(await serves(COMMON_STATEMENTS.account.sql, ["1005"])).toBe(1);
});

test.each([
  { folder: "orders", name: "0001_price_bands", breakIt: "delete from price_bands where inst_id = 'ETH-USDT'" },
  { folder: "orders", name: "0001_price_bands", breakIt: "revoke select on price_bands from gateway" },
  {
    folder: "orders",
    name: "0001_price_bands",
    breakIt: "update price_bands set upper_pct = 0 where inst_id = 'ETH-USDT'",
  },
  { folder: "orders-2023", name: "0002_split_tiers", breakIt: "delete from tier_routes where tier = 'regular-split'" },
])("the verification of $folder/$name notices: $breakIt", async ({ folder, name, breakIt }) => {
  const names = readdirSync(join(MIGRATIONS, folder))
    .filter((file) => file.endsWith(".up.sql"))
    .map((file) => file.replace(".up.sql", ""))
    .toSorted();
  for (const each of names.slice(0, names.indexOf(name))) await up(folder, each);
  await expect(run(text(folder, name, "up"), breakIt, text(folder, name, "verify"))).rejects.toMatchObject({
    code: "22012",
  });
});

test("every migration has its three files, and says in its first line which phase it is", () => {
  for (const folder of readdirSync(MIGRATIONS)) {
    const files = readdirSync(join(MIGRATIONS, folder));
    const names = files.filter((file) => file.endsWith(".up.sql")).map((file) => file.replace(".up.sql", ""));
    expect(files.toSorted()).toEqual(
      names.flatMap((name) => [`${name}.down.sql`, `${name}.up.sql`, `${name}.verify.sql`]).toSorted(),
    );
    for (const name of names) expect(text(folder, name, "up")).toMatch(/^-- midflight: phase (expand|contract)\n/);
  }
});
