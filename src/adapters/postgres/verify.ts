import type { Migration } from "../../plan/model.ts";
import type { Budgets } from "./budgets.ts";
import { checkFiles } from "./check-history.ts";
import type { Connection } from "./connect.ts";
import { notVerified } from "./explain-error.ts";
import { readHistory } from "./history.ts";
import { split } from "./split.ts";
import type { Target } from "./target.ts";

/** Runs the verify files of the applied ones among `names`, and takes back whatever they do. Rejects `VERIFY_FAILED`, `HISTORY_REWRITTEN`. */
export const verifyWith = async (
  db: Connection,
  { target, budgets }: { readonly target: Target; readonly budgets: Budgets },
  names: readonly string[],
  migrations: readonly Migration[],
  signal: AbortSignal,
): Promise<void> => {
  const rows = (await readHistory(db)).filter((row) => row.state === "applied" && names.includes(row.name));
  checkFiles(rows, migrations);
  for (const row of rows) {
    const migration = migrations.find((one) => one.name === row.name);
    if (migration !== undefined) await verifyOne(db, { target, budgets }, migration, signal);
  }
};

const verifyOne = async (
  db: Connection,
  { target, budgets }: { readonly target: Target; readonly budgets: Budgets },
  migration: Migration,
  signal: AbortSignal,
): Promise<void> => {
  const statements = await split(migration, "verify");
  await db.query(
    `begin; set local statement_timeout = ${budgets.verifyMs}; set local lock_timeout = ${budgets.verifyMs}`,
  );
  for (const statement of statements) {
    signal.throwIfAborted();
    await db.query(statement.text, undefined, budgets.verifyMs + MARGIN_MS).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw notVerified(target, statement, cause);
    });
  }
  await db.query("rollback");
};
const MARGIN_MS = 2_000;
