import { afterAll, beforeAll, expect, test } from "vitest";
import { postgresStatementLog } from "../../src/adapters/postgres/statement-log.ts";
import { countStatements } from "../../src/rehearsal/trial/forgotten.ts";
import type { ListedRelease } from "../../src/rehearsal/trial/order.ts";
import { startTestServer, type TestServer } from "../support/database.ts";

let server: TestServer;
let url = "";
let gateway = "";
beforeAll(async () => {
  server = await startTestServer();
  url = await server.database();
  const place = new URL(server.gatewayUrl);
  place.pathname = new URL(url).pathname;
  gateway = place.href;
  const owner = await server.session(url);
  await owner.query("create table bands (id int primary key, pct int); insert into bands values (1, 5)");
  await owner.query(`grant usage on schema public to gateway; grant select on bands to gateway`);
  await owner.query(`grant connect on database ${place.pathname.slice(1)} to gateway`);
}, 60_000);
afterAll(async () => {
  await server?.stop();
}, 60_000);

const never = new AbortController().signal;
const LIST: readonly ListedRelease[] = [
  {
    component: "gateway",
    side: "old",
    release: "gateway@1.0",
    queries: [{ name: "band", sql: "SELECT pct FROM bands WHERE id = $1", params: "select 1" }],
  },
];
const counting = () =>
  countStatements({ store: "orders-db", roles: ["gateway"], releases: LIST, log: postgresStatementLog(url) }, never);

/** As whoever may: the extension is made by the owner of the server, once for each database. */
async function withCounting(act: () => Promise<void>): Promise<void> {
  const root = new URL(server.superUrl);
  root.pathname = new URL(url).pathname;
  const admin = await server.session(root.href);
  await admin.query("create extension pg_stat_statements");
  try {
    await act();
  } finally {
    await admin.query("drop extension pg_stat_statements");
  }
}

test("a store that does not count is said to be one", async () => {
  const [drill] = await (await counting())();
  expect(drill?.outcome).toBe("skipped");
  expect(drill?.detail).toContain("no pg_stat_statements");
});

test("a statement that no list names is named, with whoever sent it; what is listed, what others send and what came before are not", async () => {
  await withCounting(async () => {
    const client = await server.session(gateway);
    await client.query("select count(*) from bands -- before");
    const end = await counting();
    await client.query("begin");
    await client.query("select pct from bands where id = 1");
    await client.query({ text: "select pct from bands where id = $1", values: [1] });
    await client.query("commit");
    const owner = await server.session(url);
    await owner.query("select max(pct) from bands");
    expect(await end()).toMatchObject([
      { outcome: "passed", detail: expect.stringContaining("name each of them") as unknown },
    ]);
    const again = await counting();
    await client.query("select pct from bands where id = 1");
    await client.query("select id,\n  pct from bands where pct > 3");
    await client.query("select id,\n  pct from bands where pct > 4");
    const [drill] = await again();
    expect(drill?.outcome).toBe("skipped");
    expect(drill?.detail.split("\n")).toEqual([
      "the lists of gateway@1.0 forgot 1 of 2 statements, so these were tried on no clone:",
      "2 × by gateway: select id, pct from bands where pct > $1",
    ]);
  });
});
