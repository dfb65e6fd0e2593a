import type { CountedStatement, StatementLog } from "../../ports/statement-log.ts";
import { isLost, sqlState } from "./explain-error.ts";
import { openReader } from "./read-only.ts";

const WHERE = `select quote_ident(n.nspname) as schema from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`;

const countedIn = (
  schema: string,
): string => `select r.rolname::text as role, s.query as sql, sum(s.calls)::text as calls
  from ${schema}.pg_stat_statements s join pg_catalog.pg_roles r on r.oid = s.userid
  where s.dbid = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()) and r.rolname = any($1::text[])
  group by 1, 2`;

/** PostgreSQL writes this in place of a text that the reader may not see. */
const HIDDEN = "<insufficient privilege>";

/** Statements as pg_stat_statements counts them. */
export const postgresStatementLog = (url: string): StatementLog => ({
  async counted(roles, signal) {
    const db = await openReader(url, { name: "midflight rehearsal: statements" }, signal);
    try {
      const [found] = await db.query(WHERE);
      if (found === undefined) return undefined;
      const rows = await db.query(countedIn(String(found["schema"])), [[...roles]]);
      const counted = rows.map((row): CountedStatement => ({
        role: String(row["role"]),
        sql: String(row["sql"]),
        calls: Number(row["calls"]),
      }));
      return counted.some(({ sql }) => sql === HIDDEN) ? undefined : counted;
    } catch (error) {
      // The extension is there and its library is not loaded, or its schema may not be entered.
      if (isLost(error) || sqlState(error) === undefined) throw error;
      return undefined;
    } finally {
      await db.close();
    }
  },
  async shapeOf(sql) {
    const { fingerprint, parse } = await import("libpg-query");
    try {
      const [first] = (await parse(sql)).stmts ?? [];
      return first?.stmt !== undefined && QUERIES.some((kind) => kind in (first.stmt ?? {}))
        ? await fingerprint(sql)
        : undefined;
    } catch {
      return undefined;
    }
  },
});

const QUERIES = ["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CallStmt"];
