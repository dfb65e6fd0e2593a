/** A statement that a release sends to the metadata store: prepared under its name. */
export type Statement = { readonly name: string; readonly sql: string };

/** Every statement of a release. It sends these and no other. */
export type Statements = {
  readonly account: Statement;
  readonly instruments: Statement;
  readonly leverage: Statement;
  readonly setLeverage: Statement;
};

/** What no release has changed so far. */
export const COMMON_STATEMENTS = {
  account: {
    name: "account",
    sql:
      "select a.uid, a.shard, a.status, a.tier, t.maker_fee::text as maker_fee, t.taker_fee::text as taker_fee, r.engine" +
      " from accounts a join fee_tiers t on t.tier = a.tier join routes r on r.shard = a.shard where a.uid = $1",
  },
  leverage: {
    name: "leverage",
    sql: "select leverage::text as leverage from account_settings where uid = $1",
  },
  setLeverage: {
    name: "set-leverage",
    sql:
      "insert into account_settings (uid, leverage) values ($1, $2)" +
      " on conflict (uid) do update set leverage = excluded.leverage, updated_at = now() returning leverage::text as leverage",
  },
} as const satisfies Omit<Statements, "instruments">;
