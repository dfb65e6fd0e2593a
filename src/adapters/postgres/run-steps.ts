import { messageOf } from "../../errors/message-of.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Migration } from "../../plan/model.ts";
import { runConcurrent } from "./concurrent.ts";
import { fencedTransaction } from "./fenced-transaction.ts";
import type { HistoryRow } from "./history.ts";
import { withLockRetries } from "./lock-retry.ts";
import type { LockCount } from "./lock-retry.ts";
import { becomeOurselves, runStatement, settleConstraints } from "./run-statement.ts";
import type { Session } from "./session.ts";
import { placeOf } from "./split.ts";
import type { Statement } from "./split.ts";
import { isConcurrent, kindOf } from "./statement-kind.ts";
import type { StatementKind } from "./statement-kind.ts";
import type { Worker } from "./worker.ts";

export type Steps = {
  readonly migration: Migration;
  /** As it was read just now: where to go on. */
  readonly row: HistoryRow;
  readonly statements: readonly Statement[];
  readonly count: LockCount;
};

type Step = {
  readonly name: string;
  readonly statement: Statement;
  readonly count: LockCount;
  readonly wasBegun: boolean;
};

/** Runs what is not done yet. After each statement the history row says so. */
export const runSteps = async (
  session: Session,
  worker: Worker,
  { migration, row, statements, count }: Steps,
): Promise<void> => {
  await restoreSettings(session, worker, statements.slice(0, row.applied));
  for (const statement of statements.slice(row.applied)) {
    const step: Step = { name: migration.name, statement, count, wasBegun: row.aboutTo === statement.number };
    try {
      await runStep(session, worker, step, kindOf(statement));
    } catch (error) {
      await noteError(worker, step, error);
      throw error;
    }
  }
};

// They were set in a session that is gone.
const restoreSettings = async (session: Session, worker: Worker, done: readonly Statement[]): Promise<void> => {
  for (const statement of done) {
    if (kindOf(statement).kind === "setting") await runAlone(session, worker, statement);
  }
};

const runStep = async (session: Session, worker: Worker, step: Step, kind: StatementKind): Promise<void> => {
  if (kind.kind === "coupled") return runCoupled(session, worker, step);
  if (kind.kind === "opaque" && step.wasBegun) throw unknowable(step.statement);
  await noteBegun(session, worker, step);
  if (isConcurrent(kind)) await runConcurrent(session, worker, { ...step, act: kind });
  else await withLockRetries(session, worker, step.count, () => runAlone(session, worker, step.statement));
  await noteDone(session, worker, step);
};

const runCoupled = (session: Session, worker: Worker, step: Step): Promise<void> =>
  fencedTransaction(session, worker, step.count, `${placeOf(step.statement)} is done`, async () => {
    await runStatement(session, worker, step.statement, "those-before");
    await settleConstraints(session, worker, step.statement, "those-before");
    await becomeOurselves(worker);
    await worker.query(DONE, [step.name, step.statement.number, step.statement.sha256]);
  });

const LONG_MARGIN_MS = 10_000;

// The short wait for locks protects users here too, but the work itself, such as a VACUUM, may take its time.
const runAlone = async (session: Session, worker: Worker, statement: Statement): Promise<void> => {
  const { lockTimeoutMs, concurrentStatementTimeoutMs } = session.budgets;
  const isSetting = kindOf(statement).kind === "setting";
  if (!isSetting)
    await worker.query(`set lock_timeout = ${lockTimeoutMs}; set statement_timeout = ${concurrentStatementTimeoutMs}`);
  try {
    await runStatementAlone(session, worker, statement);
  } finally {
    if (!isSetting) await worker.query("reset lock_timeout; reset statement_timeout").catch(() => undefined);
  }
};

const runStatementAlone = async (session: Session, worker: Worker, statement: Statement): Promise<void> => {
  const patient = {
    ...session,
    budgets: { ...session.budgets, statementTimeoutMs: session.budgets.concurrentStatementTimeoutMs + LONG_MARGIN_MS },
  };
  await runStatement(patient, worker, statement, "those-before");
};

const noteBegun = (session: Session, worker: Worker, step: Step): Promise<void> =>
  note(session, worker, step, BEGUN, "was begun");
const noteDone = (session: Session, worker: Worker, step: Step): Promise<void> =>
  note(session, worker, step, DONE, "is done");

const note = (session: Session, worker: Worker, step: Step, text: string, state: string): Promise<void> =>
  fencedTransaction(
    session,
    worker,
    step.count,
    `midflight noted that ${placeOf(step.statement)} ${state}`,
    async () => {
      await worker.query(text, [step.name, step.statement.number, step.statement.sha256]);
    },
  );

// Best effort: the error itself is on its way to the caller.
const noteError = async (worker: Worker, step: Step, error: unknown): Promise<void> => {
  const message = messageOf(error);
  await worker
    .query("update midflight.history set error = $2, error_statement = $3 where name = $1", [
      step.name,
      message,
      step.statement.number,
    ])
    .catch(() => undefined);
};

// Indexing an array beyond its end extends it; statements are done in order, so no gap can arise.
const BEGUN = "update midflight.history set about_to = $2::int, statement_hashes[$2::int] = $3 where name = $1";
const DONE =
  "update midflight.history set applied = $2::int, about_to = null, statement_hashes[$2::int] = $3, error = null, error_statement = null where name = $1";

const unknowable = (statement: Statement): UpgradeError =>
  new UpgradeError(
    "MIGRATION_FAILED",
    `${placeOf(statement)} was begun by a runner that died, and nothing tells whether it took effect\n  ${statement.firstLine}`,
    {
      hint: "take the migration back (its down file must bear being run over a half-done change), then apply it again",
    },
  );
