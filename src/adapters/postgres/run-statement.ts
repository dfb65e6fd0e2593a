import { failed } from "./explain-error.ts";
import type { Left } from "./explain-error.ts";
import { isLockTimeout, LockTimeout } from "./lock-retry.ts";
import type { Session } from "./session.ts";
import type { Statement } from "./split.ts";
import type { Worker } from "./worker.ts";

/** The server's own time-outs come first; this is for a server that does not even say that. */
const MARGIN_MS = 10_000;

/** Runs a statement of the catalogue class inside a transaction. Rejects with `LockTimeout`, or an error that says where. */
export const runStatement = async (
  session: Session,
  worker: Worker,
  statement: Statement,
  left: Left,
): Promise<void> => {
  try {
    await worker.query(statement.text, undefined, session.budgets.statementTimeoutMs + MARGIN_MS);
  } catch (cause) {
    session.signal.throwIfAborted();
    if (isLockTimeout(cause)) throw new LockTimeout(statement, cause);
    throw failed(session.target, statement, cause, left);
  }
};

/** Users wait in line behind a change that waits, so it gives up soon. For the current transaction only. */
export const setCatalogueTimeouts = async (session: Session, worker: Worker): Promise<void> => {
  await worker.query(
    `set local lock_timeout = ${session.budgets.lockTimeoutMs}; set local statement_timeout = ${session.budgets.statementTimeoutMs}`,
  );
};

/** Runs a verify file where the change was made, and takes back whatever it did itself. */
export const runVerify = async (
  session: Session,
  worker: Worker,
  statements: readonly Statement[],
  left: Left,
): Promise<void> => {
  await worker.query("savepoint midflight_verify");
  for (const statement of statements) await runStatement(session, worker, statement, left);
  await worker.query("rollback to savepoint midflight_verify");
};

/** Deferred constraints have their say while it can still be told whose fault it is. */
export const settleConstraints = async (
  session: Session,
  worker: Worker,
  last: Statement | undefined,
  left: Left,
): Promise<void> => {
  if (last === undefined) return;
  await runStatement(session, worker, { ...last, text: "set constraints all immediate" }, left);
};

/** What a file may have set for itself must not hold for our own tables. */
export const becomeOurselves = async (worker: Worker): Promise<void> => {
  await worker.query("reset role; set local search_path to default");
};
