import { UpgradeError } from "../../errors/upgrade-error.ts";
import { watchBlockers } from "./blockers.ts";
import { failed, unreachable } from "./explain-error.ts";
import { delayAfter, isLockTimeout, locked, LockTimeout } from "./lock-retry.ts";
import type { LockCount } from "./lock-retry.ts";
import type { Session } from "./session.ts";
import { placeOf } from "./split.ts";
import type { Statement } from "./split.ts";
import type { Concurrent } from "./statement-kind.ts";
import type { Worker } from "./worker.ts";

export type ConcurrentStep = {
  readonly statement: Statement;
  readonly act: Concurrent;
  readonly count: LockCount;
  /** A runner died while it ran, so that a finished result may be its. */
  readonly wasBegun: boolean;
};

const WATCH_MS = 1_000;
const MARGIN_MS = 10_000;

/**
 * Runs one CONCURRENTLY statement, outside a transaction. Such a statement that fails leaves something half done which the
 * next try takes for the real thing, so: look before, look after, clear away what is INVALID.
 * Rejects `MIGRATION_FAILED`, `MIGRATION_LOCKED`.
 */
export const runConcurrent = async (session: Session, worker: Worker, step: ConcurrentStep): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    if (await isThere(session, worker, step, tries > 1)) return;
    const timeout = await runOnce(session, worker, step);
    if (timeout === undefined) return checkResult(session, worker, step);
    step.count.lockRetries += 1;
    if (tries >= session.budgets.concurrentTries) throw locked(session, timeout.error, tries, timeout.blockers);
    await session.clock.sleep(delayAfter(tries, session.luck()), session.signal);
  }
};

/** Whether the statement has nothing left to do. Clears away what an earlier try left. */
const isThere = async (session: Session, worker: Worker, step: ConcurrentStep, isAgain: boolean): Promise<boolean> => {
  const { act } = step;
  switch (act.kind) {
    case "create-index": {
      const found = await findIndex(worker, act.table, act.index);
      if (found === undefined) return false;
      // Without a crash or a try before, a valid index is somebody else's: the server decides what to say.
      if (found.isValid) return step.wasBegun || isAgain;
      await dropCarcass(session, worker, step, found);
      return false;
    }
    case "drop-index":
      return (await oidOf(worker, act.index)) === undefined;
    case "reindex":
      await dropReindexRemains(session, worker, step);
      return false;
    case "detach":
      return isDetached(session, worker, step, act);
  }
};

const runOnce = async (
  session: Session,
  worker: Worker,
  step: ConcurrentStep,
): Promise<{ readonly error: LockTimeout; readonly blockers: string | undefined } | undefined> => {
  const watch = watchBlockers(session.keeper, worker.pid, session.clock, WATCH_MS);
  try {
    await withPatience(session, worker, step.statement.text);
    return undefined;
  } catch (cause) {
    session.signal.throwIfAborted();
    const blockers = await watch.stop();
    await clearAway(session, worker, step);
    if (isLockTimeout(cause)) return { error: new LockTimeout(step.statement, cause), blockers };
    throw failed(session.target, step.statement, cause, "those-before");
  } finally {
    await watch.stop();
  }
};

/** With the time-outs of the concurrent class, which hold for the session and so are taken back. */
const withPatience = async (session: Session, worker: Worker, text: string): Promise<void> => {
  const { budgets } = session;
  await worker.query(
    `set lock_timeout = ${budgets.concurrentLockTimeoutMs}; set statement_timeout = ${budgets.concurrentStatementTimeoutMs}`,
  );
  try {
    await worker.query(text, undefined, budgets.concurrentStatementTimeoutMs + MARGIN_MS);
  } finally {
    // Fails only where the session is dead or given up, and then nothing is left to take back.
    await worker.query("reset lock_timeout; reset statement_timeout").catch(() => undefined);
  }
};

// An INVALID index still slows writes down, and a unique one still refuses them: it must not wait for the next try.
const clearAway = async (session: Session, worker: Worker, step: ConcurrentStep): Promise<void> => {
  try {
    if (step.act.kind === "create-index" || step.act.kind === "reindex") await isThere(session, worker, step, true);
  } catch {
    // The error that brought us here says more. The next call looks again.
  }
};

const checkResult = async (session: Session, worker: Worker, step: ConcurrentStep): Promise<void> => {
  const { act, statement } = step;
  if (act.kind === "create-index") {
    const found = await findIndex(worker, act.table, act.index);
    if (found?.isValid === true) return;
    await clearAway(session, worker, step);
    throw invalid(statement, `the index ${act.index} is INVALID although the statement passed`);
  }
  if (act.kind === "reindex" && act.relation !== undefined) {
    const broken = (await indexesOf(worker, act.relation)).filter((one) => !one.isValid);
    if (broken.length > 0)
      throw invalid(statement, `${broken.map((one) => one.name).join(", ")} still INVALID after REINDEX`);
  }
};

const invalid = (statement: Statement, what: string): UpgradeError =>
  new UpgradeError("MIGRATION_FAILED", `${placeOf(statement)}: ${what}\n  ${statement.firstLine}`, {
    hint: "order the same again: it clears away what is invalid and builds anew",
  });

type Index = { readonly name: string; readonly isValid: boolean; readonly builder: number | undefined };

// An index lies in the schema of its table, whatever its statement says. An INVALID one of another table is not ours to touch.
const findIndex = async (worker: Worker, table: string, index: string): Promise<Index | undefined> => {
  const rows = await worker.query(`${INDEXES} where i.indrelid = pg_catalog.to_regclass($1) and c.relname = $2`, [
    table,
    index,
  ]);
  return rows.map(indexOf)[0];
};

const indexesOf = async (worker: Worker, relation: string): Promise<readonly Index[]> => {
  const rows = await worker.query(
    `${INDEXES} where pg_catalog.to_regclass($1)::oid in (i.indrelid, i.indexrelid)
     or i.indrelid = (select indrelid from pg_catalog.pg_index where indexrelid = pg_catalog.to_regclass($1)::oid)`,
    [relation],
  );
  return rows.map(indexOf);
};

const INDEXES = `
select pg_catalog.format('%I.%I', n.nspname, c.relname) as name, i.indisvalid and i.indisready and i.indislive as is_valid,
       (select p.pid from pg_catalog.pg_stat_progress_create_index p where p.index_relid = i.indexrelid and p.pid <> pg_catalog.pg_backend_pid() limit 1) as builder
  from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace`;

const indexOf = (row: Readonly<Record<string, unknown>>): Index => ({
  name: String(row["name"]),
  isValid: row["is_valid"] === true,
  builder: typeof row["builder"] === "number" ? row["builder"] : undefined,
});

const oidOf = async (worker: Worker, name: string): Promise<number | undefined> => {
  const [row] = await worker.query("select pg_catalog.to_regclass($1)::oid::bigint::text as oid", [name]);
  return typeof row?.["oid"] === "string" ? Number(row["oid"]) : undefined;
};

// What somebody else is just building is INVALID too, and will be valid.
const dropCarcass = async (session: Session, worker: Worker, step: ConcurrentStep, index: Index): Promise<void> => {
  if (index.builder !== undefined) {
    throw new UpgradeError(
      "MIGRATION_LOCKED",
      `${placeOf(step.statement)}: the session with pid ${index.builder} is building ${index.name} now`,
      { hint: "wait until it is built, or end that session, then try again" },
    );
  }
  await withPatience(session, worker, `drop index concurrently if exists ${index.name}`).catch((cause: unknown) => {
    session.signal.throwIfAborted();
    if (isLockTimeout(cause)) throw locked(session, new LockTimeout(step.statement, cause), 1, undefined);
    throw failed(session.target, step.statement, cause, "those-before");
  });
};

// A REINDEX that ended too early leaves its new index under another name; the old one still serves.
const dropReindexRemains = async (session: Session, worker: Worker, step: ConcurrentStep): Promise<void> => {
  if (step.act.kind !== "reindex" || step.act.relation === undefined) return;
  const remains = (await indexesOf(worker, step.act.relation)).filter(
    (one) => !one.isValid && /_cc(new|old)\d*"?$/.test(one.name),
  );
  for (const index of remains) await dropCarcass(session, worker, step, index);
};

const isDetached = async (
  session: Session,
  worker: Worker,
  step: ConcurrentStep,
  act: { readonly table: string; readonly partition: string },
): Promise<boolean> => {
  const [row] = await worker.query(
    "select inhdetachpending as pending from pg_catalog.pg_inherits where inhrelid = pg_catalog.to_regclass($1)::oid and inhparent = pg_catalog.to_regclass($2)::oid",
    [act.partition, act.table],
  );
  if (row === undefined) return step.wasBegun || (await oidOf(worker, act.partition)) !== undefined;
  if (row["pending"] !== true) return false;
  await withPatience(session, worker, `alter table ${act.table} detach partition ${act.partition} finalize`).catch(
    (cause: unknown) => {
      throw unreachable(session.target, cause, "to finish a partition's detaching");
    },
  );
  return true;
};
