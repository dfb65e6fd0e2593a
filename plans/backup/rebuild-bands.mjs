// Backup plan of the price bands: after it, every instrument has a valid band that the gateways may read.
// Reads MIDFLIGHT_STORE_ORDERS_DB, which midflight sets to the store of the environment that it acts on: in a rehearsal that is the demo store. May run as often as you like, before and after instruments.max_deviation_pct is gone; bands that are valid stay as they are.
import pg from "pg";

const url = process.env.MIDFLIGHT_STORE_ORDERS_DB ?? "";

/** For an instrument of which nothing is known any more: what the venue allows by default, in per cent. */
const DEFAULT_PCT = 50;

const CREATE = `
  create table if not exists price_bands (
    inst_id   text primary key references instruments (inst_id),
    lower_pct numeric not null,
    upper_pct numeric not null
  )`;

/** What is known, best first: the old limit, the narrowest valid band in the same quote currency, the default. */
const fillFrom = (known) => `
  insert into price_bands as band (inst_id, lower_pct, upper_pct)
  select i.inst_id, coalesce(${known} same.lower_pct, ${DEFAULT_PCT}), coalesce(${known} same.upper_pct, ${DEFAULT_PCT})
  from instruments i
  left join lateral (
    select min(b.lower_pct) as lower_pct, min(b.upper_pct) as upper_pct
    from price_bands b join instruments other on other.inst_id = b.inst_id
    where other.quote_ccy = i.quote_ccy and b.lower_pct > 0 and b.upper_pct > 0
  ) same on true
  on conflict (inst_id) do update set lower_pct = excluded.lower_pct, upper_pct = excluded.upper_pct
  where band.lower_pct <= 0 or band.upper_pct <= 0`;

const HAS_OLD_LIMIT = `
  select 1 from pg_attribute
  where attrelid = 'instruments'::regclass and attname = 'max_deviation_pct' and not attisdropped`;

const MISSING = `
  select i.inst_id from instruments i left join price_bands b on b.inst_id = i.inst_id
  where b.inst_id is null or b.lower_pct <= 0 or b.upper_pct <= 0`;

async function rebuild(client) {
  await client.query("begin");
  // Orders read these tables: while we wait for a lock, they would wait behind us.
  await client.query("set local lock_timeout = '500ms'");
  await client.query(CREATE);
  const { rowCount } = await client.query(HAS_OLD_LIMIT);
  const filled = await client.query(fillFrom(rowCount === 0 ? "" : "case when i.max_deviation_pct > 0 then i.max_deviation_pct end,"));
  await client.query("grant select on price_bands to gateway");
  const { rows } = await client.query(MISSING);
  if (rows.length > 0) throw new Error(`no valid band for ${rows.map((row) => row.inst_id).join(", ")}`);
  await client.query("commit");
  return filled.rowCount;
}

const fail = (why) => {
  process.stderr.write(`rebuild-bands: ${why}\n`);
  process.exitCode = 1;
};

async function main() {
  if (url === "") return fail("MIDFLIGHT_STORE_ORDERS_DB is not set: give it the address of the metadata's owner");
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 });
  // Without a listener a connection that breaks would end the process with a stack trace.
  client.on("error", () => {});
  try {
    await client.connect();
    process.stdout.write(`price bands are whole; ${await rebuild(client)} rebuilt\n`);
  } catch (error) {
    // Ending the connection takes back what was begun.
    fail(error.message || error.code || "the database cannot be reached");
  } finally {
    await client.end().catch(() => {});
  }
}

await main();
