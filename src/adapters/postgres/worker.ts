import type { Migration } from "../../plan/model.ts";
import { fenceText } from "../../ports/fence.ts";
import { connect } from "./connect.ts";
import type { Connection, Row } from "./connect.ts";
import { commitRefused, isLost, sqlState, unknownCommit, unreachable } from "./explain-error.ts";
import { holdLock } from "./lock.ts";
import type { Session } from "./session.ts";

/** The session that changes the database for one file. What a file leaves behind in it ends with it. */
export type Worker = Connection & {
  /** All or nothing. Rejects with the error of `work`, or `METADATA_UNREACHABLE` when the commit's answer was lost. */
  transaction<T>(work: () => Promise<T>, what: string): Promise<T>;
};

/** Opens a worker, hands it to `use`, and ends it. An abort of the session cancels the statement that runs, and rejects with its reason. */
export const withWorker = async <T>(
  session: Session,
  migration: Migration,
  use: (worker: Worker) => Promise<T>,
): Promise<T> => {
  const connection = await open(session, migration);
  const commit = { isUnderWay: false };
  const onAbort = (): void => void cancel(session, connection, commit);
  session.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await use(workerOf(session, connection, commit));
  } catch (error) {
    session.signal.throwIfAborted();
    throw error;
  } finally {
    session.signal.removeEventListener("abort", onAbort);
    await connection.close();
  }
};

type Commit = { isUnderWay: boolean };

const open = async (session: Session, migration: Migration): Promise<Connection> => {
  const { target, budgets, signal } = session;
  const settings = {
    // A frozen runner must not keep its locks.
    idle_in_transaction_session_timeout: `${budgets.idleInTransactionMs}ms`,
  };
  const connection = await connect(
    target,
    { name: `midflight ${fenceText(session.fence)} ${migration.name}`.slice(0, 63), settings },
    budgets,
    signal,
  );
  try {
    await holdLock(connection, "worker", session);
    return connection;
  } catch (error) {
    connection.destroy();
    signal.throwIfAborted();
    throw unreachable(target, error);
  }
};

const workerOf = (session: Session, connection: Connection, commit: Commit): Worker => {
  const query = async (text: string, values?: readonly unknown[], timeoutMs?: number): Promise<readonly Row[]> => {
    session.signal.throwIfAborted();
    return connection.query(text, values, timeoutMs);
  };
  return {
    ...connection,
    query,
    async transaction(work, what) {
      await query("begin");
      const result = await rollingBack(connection, work);
      session.signal.throwIfAborted();
      commit.isUnderWay = true;
      try {
        await connection.query("commit", undefined, COMMIT_MS);
      } catch (cause) {
        const isDecided = sqlState(cause) !== undefined && !isLost(cause);
        throw isDecided ? commitRefused(session.target, what, cause) : unknownCommit(session.target, what, cause);
      } finally {
        commit.isUnderWay = false;
      }
      return result;
    },
  };
};

const rollingBack = async <T>(connection: Connection, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    // If this fails the session is dead, and the server has rolled back on its own.
    await connection.query("rollback").catch(() => connection.destroy());
    throw error;
  }
};

// Repeated, since the cancel may overtake the statement that it is meant for. A commit is left to end: it takes no time, and half of one is worse.
const cancel = async (session: Session, connection: Connection, commit: Commit): Promise<void> => {
  for (let tries = 0; tries < CANCEL_TRIES && connection.isBusy(); tries += 1) {
    if (!commit.isUnderWay)
      await session.keeper
        .query("select pg_catalog.pg_cancel_backend($1)", [connection.pid])
        .catch(() => connection.destroy());
    await session.clock.sleep(CANCEL_POLL_MS, new AbortController().signal);
  }
  if (connection.isBusy()) connection.destroy();
};
/** A slow disk is no reason to lose sight of what was decided. */
const COMMIT_MS = 30_000;
const CANCEL_TRIES = 20;
const CANCEL_POLL_MS = 100;
