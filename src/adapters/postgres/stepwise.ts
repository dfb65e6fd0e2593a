import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { MigrationReport } from "../../graph/observation.ts";
import type { Migration } from "../../plan/model.ts";
import { fingerprintWithin } from "./catalogue.ts";
import { fencedTransaction } from "./fenced-transaction.ts";
import { insertStarted, markApplied, readOne, removeRow } from "./history.ts";
import type { HistoryRow } from "./history.ts";
import { runVerify } from "./run-statement.ts";
import { runSteps } from "./run-steps.ts";
import type { Session } from "./session.ts";
import { placeOf, split } from "./split.ts";
import type { Statement } from "./split.ts";
import { report, timingOf, wayBack } from "./transactional.ts";
import type { Timing } from "./transactional.ts";
import { withWorker } from "./worker.ts";
import type { Worker } from "./worker.ts";

/**
 * Statement by statement, with the progress in the history row; a call after a crash goes on behind the last one that is
 * done. Undefined when it was applied already.
 */
export const applyStepwise = async (session: Session, migration: Migration): Promise<MigrationReport | undefined> => {
  const files = { up: await split(migration, "up"), verify: await split(migration, "verify") };
  const timing = timingOf(session);
  return withWorker(session, migration, async (worker) => {
    const found = await readOne(worker, migration.name);
    if (found?.state === "applied") return undefined;
    // What is on its way back first gets there: half of a down file is no ground for an up file.
    if (found?.state === "reverting") await takeBack(session, worker, migration, found, timing);
    const row = found?.state === "applying" ? found : await begin(session, worker, migration, files.up, timing);
    refuseChanged(row, files.up);
    await runSteps(session, worker, { migration, row, statements: files.up, count: timing.count });
    await finish(session, worker, migration, files, timing);
    return report(session, migration, "up", files.up, timing);
  });
};

/** The way back of a file without a transaction, whether or not its way up came to its end. Undefined when it was not applied. */
export const revertStepwise = async (session: Session, migration: Migration): Promise<MigrationReport | undefined> => {
  const statements = await wayBack(migration);
  const timing = timingOf(session);
  return withWorker(session, migration, async (worker) => {
    const row = await readOne(worker, migration.name);
    if (row === undefined) return undefined;
    await takeBack(session, worker, migration, row, timing);
    return report(session, migration, "down", statements, timing);
  });
};

const begin = (
  session: Session,
  worker: Worker,
  migration: Migration,
  statements: readonly Statement[],
  timing: Timing,
): Promise<HistoryRow> =>
  fencedTransaction(session, worker, timing.count, `${migration.name} has begun`, async () => {
    await insertStarted(worker, migration, session.fence, {
      before: await fingerprintWithin(worker),
      total: statements.length,
    });
    return rowOf(worker, migration);
  });

const finish = async (
  session: Session,
  worker: Worker,
  migration: Migration,
  files: { readonly up: readonly Statement[]; readonly verify: readonly Statement[] },
  timing: Timing,
): Promise<void> => {
  await fencedTransaction(session, worker, timing.count, `${migration.name} is applied`, async () => {
    await runVerify(session, worker, files.verify, "all-of-up");
    const [row] = await worker.query("select catalogue_before as before from midflight.history where name = $1", [
      migration.name,
    ]);
    const ms = session.clock.monotonic() - timing.startedAt;
    const measures = {
      statements: files.up.length,
      ms,
      lockRetries: timing.count.lockRetries,
      before: String(row?.["before"]),
      after: await fingerprintWithin(worker),
    };
    await markApplied(worker, migration, session.fence, measures);
  });
};

const takeBack = async (
  session: Session,
  worker: Worker,
  migration: Migration,
  found: HistoryRow,
  timing: Timing,
): Promise<void> => {
  const statements = await wayBack(migration);
  const row = found.state === "reverting" ? found : await beginWayBack(session, worker, migration, statements, timing);
  refuseChanged(row, statements);
  await runSteps(session, worker, { migration, row, statements, count: timing.count });
  await fencedTransaction(session, worker, timing.count, `${migration.name} is taken back`, () =>
    removeRow(worker, migration.name),
  );
};

const beginWayBack = (
  session: Session,
  worker: Worker,
  migration: Migration,
  statements: readonly Statement[],
  timing: Timing,
): Promise<HistoryRow> =>
  fencedTransaction(session, worker, timing.count, `the way back of ${migration.name} has begun`, async () => {
    await worker.query(
      `update midflight.history set state = 'reverting', total = $2, applied = 0, about_to = null, statement_hashes = '{}', error = null, error_statement = null where name = $1`,
      [migration.name, statements.length],
    );
    return rowOf(worker, migration);
  });

const rowOf = async (worker: Worker, migration: Migration): Promise<HistoryRow> => {
  const row = await readOne(worker, migration.name);
  if (row === undefined) throw new Bug(`the row of ${migration.name} vanished from midflight.history`);
  return row;
};

// What is done cannot be done otherwise any more. The statements after it may be mended.
const refuseChanged = (row: HistoryRow, statements: readonly Statement[]): void => {
  for (let index = 0; index < row.applied; index += 1) {
    const [statement, then] = [statements[index], row.statementHashes[index]];
    if (statement?.sha256 === then) continue;
    const where = statement === undefined ? `${row.name}: statement ${index + 1}` : placeOf(statement);
    throw new UpgradeError(
      "HISTORY_REWRITTEN",
      `${where} is done already and has changed since: sha256 ${then ?? "unknown"} then, ${statement?.sha256 ?? "gone"} now`,
      {
        hint: "put that statement back as it was; those after it may change",
      },
    );
  }
};
