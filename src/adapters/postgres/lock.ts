import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Budgets } from "./budgets.ts";
import type { Connection } from "./connect.ts";
import type { Target } from "./target.ts";

/** The advisory locks of midflight in a database: one for the runner, one for the session that does the work. */
export const LOCKS = { runner: 1, worker: 2 } as const;
const CLASS = 0x6d_69_64_66;

export type Waiting = {
  readonly target: Target;
  readonly budgets: Budgets;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Takes a lock that ends with the session `db`. It asks again and again and never waits inside the server: a waiter there
 * dies of a deadlock with the holder's concurrent index. Rejects `MIGRATION_LOCKED`, which says who holds it.
 */
export const holdLock = async (db: Connection, lock: keyof typeof LOCKS, how: Waiting): Promise<void> => {
  const deadline = how.clock.monotonic() + how.budgets.runnerLockMs;
  for (;;) {
    const [row] = await db.query("select pg_catalog.pg_try_advisory_lock($1, $2) as held", [CLASS, LOCKS[lock]]);
    if (row?.["held"] === true) return;
    if (how.clock.monotonic() >= deadline) throw await heldByAnother(db, lock, how);
    await how.clock.sleep(POLL_MS, how.signal);
  }
};
const POLL_MS = 100;

/** Waits until nobody holds the lock. Rejects as `holdLock`. */
export const passLock = async (db: Connection, lock: keyof typeof LOCKS, how: Waiting): Promise<void> => {
  await holdLock(db, lock, how);
  await db.query("select pg_catalog.pg_advisory_unlock($1, $2)", [CLASS, LOCKS[lock]]);
};

const heldByAnother = async (
  db: Connection,
  lock: keyof typeof LOCKS,
  { target, budgets }: Waiting,
): Promise<UpgradeError> => {
  const [row] = await db.query(HOLDER, [CLASS, LOCKS[lock]]);
  const holder =
    row === undefined ? "a session that has just ended" : `${String(row["who"])}, there since ${String(row["since"])}`;
  return new UpgradeError(
    "MIGRATION_LOCKED",
    `another runner has been migrating ${target.place} for more than ${budgets.runnerLockMs} ms: ${holder}`,
    {
      hint: "wait for it to end; if its process is dead, end its session with `select pg_terminate_backend(<pid>)`",
    },
  );
};

const HOLDER = `
select pg_catalog.concat('pid ', a.pid, ' (', nullif(a.application_name, ''), ') from ', coalesce(pg_catalog.host(a.client_addr), 'this machine')) as who,
       pg_catalog.to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
  from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a using (pid)
 where l.locktype = 'advisory' and l.classid::bigint = $1 and l.objid::bigint = $2 and l.granted and a.datname = pg_catalog.current_database()`;
