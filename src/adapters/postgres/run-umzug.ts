import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { MigrationReport } from "../../graph/observation.ts";
import type { Migration } from "../../plan/model.ts";
import { readHistory, readOne } from "./history.ts";
import type { HistoryRow } from "./history.ts";
import type { Session } from "./session.ts";
import { applyStepwise, revertStepwise } from "./stepwise.ts";
import { applyInOneTransaction, revertInOneTransaction } from "./transactional.ts";

export type Direction = "up" | "down";

/** Lets umzug run exactly `names`, in its order: those of the folder up, the given ones down. */
export const runUmzug = async (
  session: Session,
  direction: Direction,
  names: readonly string[],
): Promise<readonly MigrationReport[]> => {
  if (names.length === 0) return [];
  // It loads a command-line library, which takes a third of a second.
  // The default export is what both Node and a bundle make of a CommonJS package.
  const { default: library } = await import("umzug");
  const reports: MigrationReport[] = [];
  const run = (move: typeof apply, migration: Migration) => async (): Promise<void> => {
    const report = await move(session, migration);
    if (report !== undefined) reports.push(report);
  };
  const umzug = new library.Umzug<Session>({
    migrations: session.migrations.map((migration) => ({
      name: migration.name,
      up: run(apply, migration),
      down: run(revert, migration),
    })),
    context: session,
    storage: {
      executed: async () =>
        (await readHistory(session.keeper)).filter((row) => counts(row, direction)).map((row) => row.name),
      // The rows are written with the change, in its transaction. Here it would be too late: a crash in between would lose the row.
      logMigration: async () => undefined,
      unlogMigration: async () => undefined,
    },
    logger: undefined,
  });
  try {
    await umzug[direction]({ migrations: [...names] });
    return reports;
  } catch (error) {
    throw unwrapped(error);
  }
};

// What is half done is not applied, and still has to be taken back.
const counts = (row: HistoryRow, direction: Direction): boolean => direction === "down" || row.state === "applied";

const apply = async (session: Session, migration: Migration): Promise<MigrationReport | undefined> => {
  if (!migration.transactional) return applyStepwise(session, migration);
  if ((await readOne(session.keeper, migration.name)) === undefined) return applyInOneTransaction(session, migration);
  throw new UpgradeError(
    "MIGRATION_FAILED",
    `${migration.name} was begun statement by statement, and its file now asks for one transaction`,
    {
      hint: "take it back first, then apply it again",
    },
  );
};

const revert = async (session: Session, migration: Migration): Promise<MigrationReport | undefined> =>
  migration.transactional ? revertInOneTransaction(session, migration) : revertStepwise(session, migration);

// Our own errors say more than umzug's sentence around them.
const unwrapped = (error: unknown): unknown =>
  error instanceof Error && error.name === "MigrationError" && error.cause !== undefined ? error.cause : error;
