import { Pool } from "pg";
import type { QueryResultRow } from "pg";
import { isFields, textOf } from "../fields.ts";
import type { AccountState, Found, Instrument, Metadata } from "./metadata.ts";
import type { Statement, Statements } from "./statements.ts";

/** How long the store may think about a statement, in ms. */
const STATEMENT_TIMEOUT_MS = 200;
/** How long to wait for a connection, in ms. */
const CONNECT_TIMEOUT_MS = 300;
/** A little above the statement's own limit: it strikes only when the server does not answer at all. */
const ANSWER_TIMEOUT_MS = 350;
const MAX_CONNECTIONS = 4;
const INSTRUMENTS_MAX_AGE_MS = 250;

/** Runs a statement; rejects with the driver's error. */
export type RunStatement = (statement: Statement, values: readonly unknown[]) => Promise<readonly QueryResultRow[]>;

/** Metadata in PostgreSQL, read with the statements of the release. */
export const postgresMetadata = (url: string, statements: Statements, applicationName: string): Metadata => {
  const pool = new Pool({
    connectionString: url,
    application_name: applicationName,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    // Kept for good: opening one takes longer than an operation may.
    idleTimeoutMillis: 0,
  });
  // A connection that dies while idle is replaced by the next request; unheard, its error would end the process.
  pool.on("error", () => {});
  const run: RunStatement = async (statement, values) =>
    (await pool.query<QueryResultRow>({ name: statement.name, text: statement.sql, values: [...values] })).rows;
  // All connections are opened before the first user comes. A store that is not there yet is asked again by the first request.
  void Promise.allSettled(Array.from({ length: MAX_CONNECTIONS }, () => run(statements.instruments, [])));
  return metadataOver(run, statements, () => pool.end());
};

/** The same over any way to run statements. */
export const metadataOver = (run: RunStatement, statements: Statements, close: () => Promise<void>): Metadata => {
  const ask = async <T>(
    statement: Statement,
    values: readonly unknown[],
    read: (rows: readonly QueryResultRow[]) => T | undefined,
  ): Promise<Found<T>> => {
    try {
      const value = read(await run(statement, values));
      return value === undefined ? { kind: "missing" } : { kind: "found", value };
    } catch (error) {
      return absentFrom(error);
    }
  };
  return {
    account: (uid) => ask(statements.account, [uid], (rows) => rows[0] && accountFrom(rows[0])),
    instruments: cached(() =>
      ask(statements.instruments, [], (rows) => (rows.length === 0 ? undefined : rows.map(instrumentFrom))),
    ),
    leverage: (uid) => ask(statements.leverage, [uid], (rows) => String(rows[0]?.leverage ?? "1")),
    setLeverage: (uid, lever) =>
      ask(statements.setLeverage, [uid, lever], (rows) => rows[0] && String(rows[0].leverage)),
    close,
  };
};

// Requests that arrive during a read share it, so that a burst costs one statement.
const cached = <T>(read: () => Promise<Found<T>>): (() => Promise<Found<T>>) => {
  let last: { readonly at: number; readonly answer: Promise<Found<T>> } | undefined;
  return async () => {
    if (last !== undefined && performance.now() - last.at < INSTRUMENTS_MAX_AGE_MS) return last.answer;
    const answer = read();
    last = { at: performance.now(), answer };
    const found = await answer;
    if (found.kind !== "found" && last?.answer === answer) last = undefined;
    return found;
  };
};

/** SQLSTATE classes in which the store is reachable and refuses the statement itself; 57014 is a cancelled, late one. */
const REFUSED = /^(0A|22|23|26|42)/;

const absentFrom = (error: unknown): Found<never> => {
  const [code, reason] = isFields(error) ? [textOf(error, "code"), textOf(error, "message")] : ["", String(error)];
  return REFUSED.test(code) ? { kind: "broken", reason } : { kind: "down", reason };
};

const accountFrom = (row: QueryResultRow): AccountState => ({
  uid: String(row.uid),
  shard: Number(row.shard),
  status: String(row.status),
  tier: String(row.tier),
  makerFee: String(row.maker_fee),
  takerFee: String(row.taker_fee),
  engine: String(row.engine),
});

const instrumentFrom = (row: QueryResultRow): Instrument => ({
  instId: String(row.inst_id),
  instIdCode: Number(row.inst_id_code),
  instType: String(row.inst_type),
  baseCcy: String(row.base_ccy),
  quoteCcy: String(row.quote_ccy),
  tickSz: String(row.tick_sz),
  lotSz: String(row.lot_sz),
  minSz: String(row.min_sz),
  maxLmtSz: String(row.max_limit_sz),
  state: String(row.state),
  lowerPct: String(row.lower_pct),
  upperPct: String(row.upper_pct),
});
