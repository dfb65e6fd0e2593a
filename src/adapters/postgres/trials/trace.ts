import type { TracedStatement } from "../../../ports/trials.ts";
import type { Connection, Row } from "../connect.ts";
import type { Statement } from "../split.ts";
import { traitsOf } from "./traits.ts";

/** Names and files of every relation, by oid: what a statement drops has no name afterwards. */
type Relations = ReadonlyMap<number, { readonly name: string; readonly kind: string; readonly file: string }>;

/** What can be seen between two statements of a transaction. */
type Sight = {
  readonly relations: Relations;
  /** `oid mode`. */
  readonly locks: ReadonlySet<string>;
  readonly written: number;
  readonly lockTimeoutMs: number;
};

/** Watches the statements of one file, in the session and transaction that they run in. */
export type Trace = {
  watch(statement: Statement, run: () => Promise<void>): Promise<TracedStatement>;
};

/** `before`: relations that stood before the file; others are nobody's yet, and what happens to them holds up nobody. */
export const traceOn = (db: Connection, before: Relations, now: () => number): Trace => ({
  async watch(statement, run) {
    const was = await look(db);
    const startedAt = now();
    await run();
    const ms = round(now() - startedAt);
    return seen(statement, { before, was, is: await look(db) }, ms);
  },
});

/** A statement that cannot run in a transaction: it is timed, and nothing else. */
export const outside = async (
  statement: Statement,
  run: () => Promise<void>,
  now: () => number,
): Promise<TracedStatement> => {
  const startedAt = now();
  await run();
  return {
    ...stemOf(statement),
    ms: round(now() - startedAt),
    seen: "outside",
    locks: [],
    rewritten: [],
    rowsTouched: 0,
    lockTimeoutMs: 0,
  };
};

const stemOf = (statement: Statement) => ({
  file: statement.file,
  number: statement.number,
  of: statement.of,
  line: statement.line,
  firstLine: statement.firstLine,
  traits: traitsOf(statement.tree),
});

const seen = (
  statement: Statement,
  { before, was, is }: { readonly before: Relations; readonly was: Sight; readonly is: Sight },
  ms: number,
): TracedStatement => {
  const traits = traitsOf(statement.tree);
  return {
    ...stemOf(statement),
    ms,
    seen: traits.includes("enum") || traits.includes("rights") ? "partly" : "whole",
    locks: [...is.locks].filter((lock) => !was.locks.has(lock)).flatMap((lock) => lockOn(before, lock)),
    rewritten: [...before].flatMap(([oid, { name, kind }]) => {
      const [old, fresh] = [was.relations.get(oid)?.file, is.relations.get(oid)?.file];
      return TABLES.test(kind) && old !== undefined && fresh !== undefined && fresh !== old ? [name] : [];
    }),
    rowsTouched: Math.max(0, is.written - was.written),
    lockTimeoutMs: was.lockTimeoutMs,
  };
};

/** Tables, partitioned ones and materialized views: an index is written anew with its table, or by itself, and blocks through it. */
const TABLES = /^[rpm]$/;
const LOCKABLE = /^[rpmvf]$/;

const lockOn = (before: Relations, lock: string): TracedStatement["locks"] => {
  const [oid = "", mode = ""] = lock.split(" ");
  const relation = before.get(Number(oid));
  return relation === undefined || !LOCKABLE.test(relation.kind) ? [] : [{ table: relation.name, mode }];
};

const look = async (db: Connection): Promise<Sight> => {
  const [row] = await db.query(SIGHT);
  return {
    relations: await relationsOf(db),
    locks: new Set((row?.["locks"] ?? []) as readonly string[]),
    written: Number(row?.["written"]),
    lockTimeoutMs: Number(row?.["lock_timeout"]),
  };
};

export const relationsOf = async (db: Connection): Promise<Relations> =>
  new Map(
    (await db.query(RELATIONS)).map((row: Row) => [
      Number(row["oid"]),
      { name: String(row["name"]), kind: String(row["kind"]), file: String(row["file"]) },
    ]),
  );

const round = (ms: number): number => Math.round(ms * 10) / 10;

const RELATIONS = `
select c.oid::int as oid, case when n.nspname = 'public' then pg_catalog.format('%I', c.relname) else pg_catalog.format('%I.%I', n.nspname, c.relname) end as name,
       c.relkind::text as kind, pg_catalog.pg_relation_filenode(c.oid) as file
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and n.nspname <> 'midflight'`;

const SIGHT = `
select (select pg_catalog.array_agg(pg_catalog.concat(relation, ' ', mode)) from pg_catalog.pg_locks
         where pid = pg_catalog.pg_backend_pid() and locktype = 'relation' and granted and database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())) as locks,
       (select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_catalog.pg_stat_xact_all_tables where schemaname !~ '^pg_' and schemaname <> 'midflight') as written,
       (select setting::int from pg_catalog.pg_settings where name = 'lock_timeout') as lock_timeout`;
