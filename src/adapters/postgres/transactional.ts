import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { MigrationReport } from "../../graph/observation.ts";
import type { Migration } from "../../plan/model.ts";
import { fingerprintWithin } from "./catalogue.ts";
import { fencedTransaction } from "./fenced-transaction.ts";
import { insertApplied, readOne, removeRow } from "./history.ts";
import type { LockCount } from "./lock-retry.ts";
import { becomeOurselves, runStatement, runVerify, settleConstraints } from "./run-statement.ts";
import type { Session } from "./session.ts";
import { fileOf, split } from "./split.ts";
import type { Statement } from "./split.ts";
import { withWorker } from "./worker.ts";
import type { Worker } from "./worker.ts";

/** Change, verification and history row in one transaction. Undefined when it was applied already. */
export const applyInOneTransaction = async (
  session: Session,
  migration: Migration,
): Promise<MigrationReport | undefined> => {
  const files = { up: await split(migration, "up"), verify: await split(migration, "verify") };
  const timing = timingOf(session);
  return withWorker(session, migration, async (worker) => {
    const isDone = await fencedTransaction(session, worker, timing.count, `${migration.name} is applied`, () =>
      apply(session, worker, migration, files, timing),
    );
    return isDone ? report(session, migration, "up", files.up, timing) : undefined;
  });
};

/** The way back, and the removal of the history row, in one transaction. Undefined when it was not applied. */
export const revertInOneTransaction = async (
  session: Session,
  migration: Migration,
): Promise<MigrationReport | undefined> => {
  const statements = await wayBack(migration);
  const timing = timingOf(session);
  return withWorker(session, migration, async (worker) => {
    const isDone = await fencedTransaction(session, worker, timing.count, `${migration.name} is taken back`, () =>
      revert(session, worker, migration, statements),
    );
    return isDone ? report(session, migration, "down", statements, timing) : undefined;
  });
};

/** The statements of a down file. One without any would leave the change and forget it. */
export const wayBack = async (migration: Migration): Promise<readonly Statement[]> => {
  const statements = await split(migration, "down");
  if (statements.length > 0) return statements;
  throw new UpgradeError(
    "MIGRATION_FAILED",
    `${fileOf(migration, "down")} has no statement, so ${migration.name} cannot be taken back. It stays applied.`,
    {
      hint: "write the way back; if there is none, declare the step irreversible and give it a backup plan",
    },
  );
};

export type Timing = { readonly count: LockCount; readonly startedAt: number };

export const timingOf = (session: Session): Timing => ({
  count: { lockRetries: 0 },
  startedAt: session.clock.monotonic(),
});

export const report = (
  session: Session,
  migration: Migration,
  direction: "up" | "down",
  statements: readonly Statement[],
  timing: Timing,
): MigrationReport => ({
  name: migration.name,
  direction,
  ms: Math.round(session.clock.monotonic() - timing.startedAt),
  statements: statements.length,
  lockRetries: timing.count.lockRetries,
});

type Files = { readonly up: readonly Statement[]; readonly verify: readonly Statement[] };

const apply = async (
  session: Session,
  worker: Worker,
  migration: Migration,
  files: Files,
  timing: Timing,
): Promise<boolean> => {
  // A runner that died in its commit may have been quicker than our look at the history.
  if ((await readOne(worker, migration.name)) !== undefined) return false;
  const before = await fingerprintWithin(worker);
  for (const statement of files.up) await runStatement(session, worker, statement, "nothing");
  await settleConstraints(session, worker, files.up.at(-1), "nothing");
  await runVerify(session, worker, files.verify, "nothing");
  await becomeOurselves(worker);
  const after = await fingerprintWithin(worker);
  const ms = session.clock.monotonic() - timing.startedAt;
  const measures = { statements: files.up.length, ms, lockRetries: timing.count.lockRetries, before, after };
  await insertApplied(
    worker,
    migration,
    session.fence,
    files.up.map((statement) => statement.sha256),
    measures,
  );
  return true;
};

const revert = async (
  session: Session,
  worker: Worker,
  migration: Migration,
  statements: readonly Statement[],
): Promise<boolean> => {
  if ((await readOne(worker, migration.name)) === undefined) return false;
  for (const statement of statements) await runStatement(session, worker, statement, "nothing");
  await settleConstraints(session, worker, statements.at(-1), "nothing");
  await becomeOurselves(worker);
  await removeRow(worker, migration.name);
  return true;
};
