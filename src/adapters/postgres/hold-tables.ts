import { BUDGETS } from "./budgets.ts";
import { connect } from "./connect.ts";
import { targetOf } from "./target.ts";

/** A reader that does not end its transaction, on a store that is being rehearsed on. */
export type HeldTables = {
  /** How many tables it reads. */
  readonly tables: number;
  /** Ends the transaction. */
  release(): Promise<void>;
};

/**
 * Reads every table of the schemas of users and keeps the transaction open: what an analyst's forgotten session does. Writes nothing.
 * Rejects `METADATA_UNREACHABLE`.
 */
export async function holdTables(url: string, signal: AbortSignal): Promise<HeldTables> {
  const db = await connect(targetOf(url), { name: "midflight drill: slow reader" }, BUDGETS, signal);
  try {
    const tables = await db.query(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'midflight') order by 1`,
    );
    await db.query("begin transaction isolation level repeatable read read only");
    for (const { name } of tables) await db.query(`lock table only ${String(name)} in access share mode`);
    return {
      tables: tables.length,
      release: async () => {
        await db.query("rollback").catch(() => {});
        await db.close();
      },
    };
  } catch (error) {
    db.destroy();
    throw error;
  }
}
