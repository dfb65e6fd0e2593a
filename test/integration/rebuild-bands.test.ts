import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openMetadata } from "../../src/demo/venue/metadata/open.ts";
import type { Postgres } from "../../src/demo/venue/metadata/postgres.ts";

const PLANS = fileURLToPath(new URL("../../plans/", import.meta.url));

let dir = "";
let postgres: Postgres;
let owner: Client;
let gateway: Client;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "rebuild-bands-"));
  postgres = await openMetadata({ dir });
});
afterAll(async () => {
  await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  const admin = await open(postgres.ownerUrl.replace(/metadata$/, "postgres"));
  await admin.query("drop database if exists clone");
  await admin.query("create database clone template metadata strategy file_copy");
  await admin.end();
  owner = await open(cloneOf(postgres.ownerUrl));
  gateway = await open(cloneOf(postgres.gatewayUrl));
});
afterEach(async () => {
  await owner.end();
  await gateway.end();
});

const cloneOf = (url: string): string => url.replace(/metadata$/, "clone");
const open = async (url: string): Promise<Client> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
};
const up = (name: string) => owner.query(readFileSync(join(PLANS, "migrations/orders", `${name}.up.sql`), "utf8"));
const bands = async () =>
  (
    await gateway.query<{ inst_id: string; lower: number; upper: number }>(
      "select inst_id, lower_pct::float as lower, upper_pct::float as upper from price_bands order by inst_id",
    )
  ).rows;

type Ended = { readonly status: number | null; readonly text: string };
const rebuild = (url: string | undefined = cloneOf(postgres.ownerUrl)): Promise<Ended> =>
  new Promise((resolve) => {
    const { MIDFLIGHT_STORE_ORDERS_DB: _, ...env } = process.env;
    const child = spawn(process.execPath, [join(PLANS, "backup/rebuild-bands.mjs")], {
      env: url === "" ? env : { ...env, MIDFLIGHT_STORE_ORDERS_DB: url },
    });
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.once("close", (status) => resolve({ status, text }));
  });

test("before the contract, lost bands come back from the limit that release 1.0 reads", async () => {
  await up("0001_price_bands");
  const before = await bands();
  await owner.query("drop table price_bands");
  expect(await rebuild()).toMatchObject({ status: 0 });
  expect(await bands()).toEqual(before);
});

test("after the contract, when the old limit is gone, every instrument gets a valid band again and whole ones stay", async () => {
  await up("0001_price_bands");
  await up("0002_drop_max_deviation");
  await owner.query("update price_bands set lower_pct = 7 where inst_id = 'ETH-USDT'");
  await owner.query("delete from price_bands where inst_id = 'BTC-USDT'");
  await owner.query("update price_bands set upper_pct = 0 where inst_id = 'PROBE-USDT'");
  expect(await rebuild()).toMatchObject({ status: 0, text: expect.stringContaining("2 rebuilt") as string });
  const rebuilt = await bands();
  expect(rebuilt.map((band) => band.inst_id)).toEqual(["BTC-USDT", "ETH-USDT", "PROBE-USDT"]);
  expect(rebuilt.every((band) => band.lower > 0 && band.upper > 0)).toBe(true);
  expect(rebuilt[1]).toMatchObject({ lower: 7 });
});

test("even a table that is gone altogether is rebuilt after the contract", async () => {
  await up("0001_price_bands");
  await up("0002_drop_max_deviation");
  await owner.query("drop table price_bands");
  expect(await rebuild()).toMatchObject({ status: 0 });
  expect(await bands()).toHaveLength(3);
});

test("run a second time it changes nothing", async () => {
  await up("0001_price_bands");
  expect(await rebuild()).toMatchObject({ status: 0, text: expect.stringContaining("0 rebuilt") as string });
  expect(await rebuild()).toMatchObject({ status: 0, text: expect.stringContaining("0 rebuilt") as string });
});

test.each([
  { name: "no address", url: () => "", says: "MIDFLIGHT_STORE_ORDERS_DB is not set" },
  { name: "no database there", url: () => postgres.ownerUrl.replace(/metadata$/, "nowhere"), says: "nowhere" },
])("with $name it fails with a sentence and no stack trace", async ({ url, says }) => {
  const ended = await rebuild(url());
  expect(ended.status).toBe(1);
  expect(ended.text).toContain(says);
  expect(ended.text).not.toContain("    at ");
});
