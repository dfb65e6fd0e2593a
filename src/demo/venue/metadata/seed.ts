import { Client } from "pg";
import { ALL_UIDS } from "../accounts.ts";
import { BASE_SCHEMA } from "./base.ts";

const INSTRUMENTS = [
  {
    instId: "BTC-USDT",
    code: 3,
    base: "BTC",
    quote: "USDT",
    tickSz: "0.1",
    lotSz: "0.00000001",
    minSz: "0.00001",
    maxLimitSz: "10000",
  },
  {
    instId: "ETH-USDT",
    code: 4,
    base: "ETH",
    quote: "USDT",
    tickSz: "0.01",
    lotSz: "0.000001",
    minSz: "0.0001",
    maxLimitSz: "100000",
  },
  {
    instId: "PROBE-USDT",
    code: 900,
    base: "PROBE",
    quote: "USDT",
    tickSz: "0.01",
    lotSz: "0.01",
    minSz: "0.01",
    maxLimitSz: "1000000",
  },
] as const;

/** How far a limit price may lie from the last trade, in percent. */
const MAX_DEVIATION_PCT = 50;

const FEE_TIERS = [
  ["regular", "0.0008", "0.001"],
  ["vip1", "0.0006", "0.0008"],
  ["vip2", "0.0004", "0.0006"],
] as const;

const SHARDS = Array.from({ length: 10 }, (_, shard) => shard);

/** Creates the tables of release 1.0 and fills them with the venue's instruments and everybody who has a key. `url` is the owner's. */
export const seedMetadata = async (url: string): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`begin; ${BASE_SCHEMA}`);
    await fill(client);
    await client.query("commit");
  } finally {
    await client.end();
  }
};

const fill = async (client: Client): Promise<void> => {
  await insert(client, "fee_tiers (tier, maker_fee, taker_fee)", FEE_TIERS);
  await insert(
    client,
    "routes (shard, engine)",
    SHARDS.map((shard) => [shard, "main"]),
  );
  await insert(
    client,
    "accounts (uid, shard, tier)",
    ALL_UIDS.map((uid) => [uid, Number(uid) % SHARDS.length, tierOf(uid)]),
  );
  await insert(
    client,
    "instruments (inst_id, inst_id_code, inst_type, base_ccy, quote_ccy, tick_sz, lot_sz, min_sz, max_limit_sz, state, max_deviation_pct)",
    INSTRUMENTS.map((one) => [
      one.instId,
      one.code,
      "SPOT",
      one.base,
      one.quote,
      one.tickSz,
      one.lotSz,
      one.minSz,
      one.maxLimitSz,
      "live",
      MAX_DEVIATION_PCT,
    ]),
  );
};

const tierOf = (uid: string): string => {
  if (Number(uid) % 13 === 0) return "vip2";
  return Number(uid) % 7 === 0 ? "vip1" : "regular";
};

const insert = async (client: Client, into: string, rows: readonly (readonly (string | number)[])[]): Promise<void> => {
  const places = rows.map((row, at) => `(${row.map((_, column) => `$${at * row.length + column + 1}`).join(", ")})`);
  await client.query(`insert into ${into} values ${places.join(", ")}`, rows.flat());
};
