import { createHash } from "node:crypto";
import type { Migration } from "../../plan/model.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Connection, Row } from "./connect.ts";

/** One row of `midflight.history`. */
export type HistoryRow = {
  readonly name: string;
  /** `applying` and `reverting` are left by a file without a transaction that did not come to its end. */
  readonly state: "applying" | "applied" | "reverting";
  readonly sums: Sums;
  /** Hash over the row before and this one, so that a removed or exchanged row shows. */
  readonly previousHash: string;
  readonly hash: string;
  readonly total: number;
  /** Statements done, in the direction that `state` tells. */
  readonly applied: number;
  /** Statement that was begun and of which nothing is known since. */
  readonly aboutTo: number | undefined;
  readonly statementHashes: readonly string[];
};

/** sha256 of each of the three files. */
export type Sums = { readonly up: string; readonly verify: string; readonly down: string };

/** What was measured on the way. */
export type Measures = {
  readonly statements: number;
  readonly ms: number;
  readonly lockRetries: number;
  readonly before: string;
  readonly after: string;
};

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export const sumsOf = (migration: Migration): Sums => ({
  up: sha256(migration.up),
  verify: sha256(migration.verify),
  down: sha256(migration.down),
});

/** One hash for the three files, as `MetadataState` shows it. */
export const sumOf = (sums: Sums): string => sha256(`${sums.up}\n${sums.verify}\n${sums.down}\n`);

export const hashOf = (previousHash: string, name: string, sums: Sums): string =>
  sha256(`${previousHash}\n${name}\n${sumOf(sums)}\n`);

/** Creates our own schema where it is missing. A database whose admin made it beforehand needs no right to create. */
export const createHistory = async (db: Connection): Promise<void> => {
  const [row] = await db.query(
    "select pg_catalog.to_regclass('midflight.history') is not null and pg_catalog.to_regclass('midflight.fence') is not null as found",
  );
  if (row?.["found"] === true) return;
  await db.query(`begin; ${TABLES}; commit`);
};

/** In order of application. Empty where there is no history yet. */
export const readHistory = async (db: Pick<Connection, "query">): Promise<readonly HistoryRow[]> => {
  const [row] = await db.query("select pg_catalog.to_regclass('midflight.history') is not null as found");
  if (row?.["found"] !== true) return [];
  return (await db.query("select * from midflight.history order by id")).map(historyRow);
};

export const readOne = async (db: Connection, name: string): Promise<HistoryRow | undefined> => {
  const [row] = await db.query("select * from midflight.history where name = $1", [name]);
  return row === undefined ? undefined : historyRow(row);
};

/** The whole row of a change that was made in one transaction, and that is committed with it. */
export const insertApplied = async (
  db: Connection,
  migration: Migration,
  fence: Fence,
  statementHashes: readonly string[],
  measures: Measures,
): Promise<void> => {
  await insertStarted(db, migration, fence, { before: measures.before, total: measures.statements });
  await db.query("update midflight.history set applied = total, statement_hashes = $2 where name = $1", [
    migration.name,
    statementHashes,
  ]);
  await markApplied(db, migration, fence, measures);
};

export const insertStarted = async (
  db: Connection,
  migration: Migration,
  fence: Fence,
  start: { readonly before: string; readonly total: number },
): Promise<void> => {
  const sums = sumsOf(migration);
  await db.query(
    `insert into midflight.history (name, state, up_sha256, verify_sha256, down_sha256, transactional, total, catalogue_before, epoch, seq)
     values ($1, 'applying', $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      migration.name,
      sums.up,
      sums.verify,
      sums.down,
      migration.transactional,
      start.total,
      start.before,
      fence.epoch,
      fence.seq,
    ],
  );
  await chainAgain(db);
};

export const markApplied = async (
  db: Connection,
  migration: Migration,
  fence: Fence,
  measures: Measures,
): Promise<void> => {
  const sums = sumsOf(migration);
  await db.query(
    `update midflight.history set state = 'applied', about_to = null, error = null, error_statement = null, applied_at = pg_catalog.now(),
       up_sha256 = $2, verify_sha256 = $3, down_sha256 = $4, ms = $5, lock_retries = $6, catalogue_after = $7, epoch = $8, seq = $9, total = $10
     where name = $1`,
    [
      migration.name,
      sums.up,
      sums.verify,
      sums.down,
      Math.round(measures.ms),
      measures.lockRetries,
      measures.after,
      fence.epoch,
      fence.seq,
      measures.statements,
    ],
  );
  await chainAgain(db);
};

export const removeRow = async (db: Connection, name: string): Promise<void> => {
  await db.query("delete from midflight.history where name = $1", [name]);
  await chainAgain(db);
};

// A row that went from the middle, or whose files were mended before it was applied, changes all hashes after it.
const chainAgain = async (db: Connection): Promise<void> => {
  let previousHash = "";
  for (const row of (await db.query("select * from midflight.history order by id")).map(historyRow)) {
    const hash = hashOf(previousHash, row.name, row.sums);
    if (row.previousHash !== previousHash || row.hash !== hash) {
      await db.query("update midflight.history set previous_hash = $2, hash = $3 where name = $1", [
        row.name,
        previousHash,
        hash,
      ]);
    }
    previousHash = hash;
  }
};

const historyRow = (row: Row): HistoryRow => ({
  name: String(row["name"]),
  state: row["state"] as HistoryRow["state"],
  sums: { up: String(row["up_sha256"]), verify: String(row["verify_sha256"]), down: String(row["down_sha256"]) },
  previousHash: String(row["previous_hash"]),
  hash: String(row["hash"]),
  total: Number(row["total"]),
  applied: Number(row["applied"]),
  aboutTo: typeof row["about_to"] === "number" ? row["about_to"] : undefined,
  statementHashes: row["statement_hashes"] as readonly string[],
});

const TABLES = `
create schema if not exists midflight;
create table if not exists midflight.fence (
  id        int primary key check (id = 1),
  epoch     bigint not null,
  seq       bigint not null,
  raised_at timestamptz not null default now()
);
create table if not exists midflight.history (
  id               bigint generated always as identity primary key,
  name             text not null unique,
  state            text not null check (state in ('applying', 'applied', 'reverting')),
  up_sha256        text not null,
  verify_sha256    text not null,
  down_sha256      text not null,
  previous_hash    text not null default '',
  hash             text not null default '',
  transactional    boolean not null,
  total            int not null,
  applied          int not null default 0,
  about_to         int,
  statement_hashes text[] not null default '{}',
  error            text,
  error_statement  int,
  started_at       timestamptz not null default now(),
  applied_at       timestamptz,
  ms               int,
  lock_retries     int not null default 0,
  catalogue_before text not null,
  catalogue_after  text,
  epoch            bigint not null,
  seq              bigint not null
)`;
