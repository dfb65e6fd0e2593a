import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Migration } from "../../plan/model.ts";
import { hashOf, sumsOf } from "./history.ts";
import type { HistoryRow } from "./history.ts";
import { fileOf } from "./split.ts";
import type { Part } from "./split.ts";

/** Refuses a history that was changed by hand, and applied files that were edited or removed. Throws `HISTORY_REWRITTEN`. */
export const checkHistory = (rows: readonly HistoryRow[], migrations: readonly Migration[]): void => {
  checkChain(rows);
  checkFiles(rows, migrations);
};

/** Refuses applied files that were edited or removed. A file that did not come to its end may be mended. Throws `HISTORY_REWRITTEN`. */
export const checkFiles = (rows: readonly HistoryRow[], migrations: readonly Migration[]): void => {
  for (const row of rows) {
    const migration = migrations.find((one) => one.name === row.name);
    if (migration === undefined)
      throw rewritten(
        `${row.name} is applied, with the up file ${row.sums.up}, and its files are gone`,
        "put the three files back",
      );
    if (row.state === "applied") checkSums(row, migration);
  }
};

const checkSums = (row: HistoryRow, migration: Migration): void => {
  const sums = sumsOf(migration);
  for (const part of PARTS) {
    if (sums[part] === row.sums[part]) continue;
    throw rewritten(
      `${fileOf(migration, part)} was edited after it was applied: sha256 ${row.sums[part]} then, ${sums[part]} now`,
      "put the file back as it was, and write a new migration for the change",
    );
  }
};
const PARTS: readonly Part[] = ["up", "verify", "down"];

/**
 * Refuses a new file that is ordered before applied ones: it would run in another order here than elsewhere. A contract may
 * wait behind later expands, since plans contract last. Throws `HISTORY_REWRITTEN`.
 */
export const checkOrder = (
  names: readonly string[],
  rows: readonly HistoryRow[],
  migrations: readonly Migration[],
): void => {
  const applied = new Set(rows.filter((row) => row.state === "applied").map((row) => row.name));
  for (const [index, migration] of migrations.entries()) {
    if (!names.includes(migration.name) || applied.has(migration.name)) continue;
    const overtaken = migrations
      .slice(index + 1)
      .find((later) => applied.has(later.name) && !(migration.phase === "contract" && later.phase === "expand"));
    if (overtaken === undefined) continue;
    throw rewritten(
      `${migration.name} is new, and ordered before ${overtaken.name}, which is applied`,
      "give the new files a higher number",
    );
  }
};

const checkChain = (rows: readonly HistoryRow[]): void => {
  let previousHash = "";
  for (const row of rows) {
    const expected = hashOf(previousHash, row.name, row.sums);
    if (row.previousHash !== previousHash || row.hash !== expected) {
      throw rewritten(
        `the row of ${row.name} in midflight.history, or one before it, was changed or removed by hand: hash ${row.hash} is kept, ${expected} is expected`,
        "find out who changed midflight.history, and put it back",
      );
    }
    previousHash = row.hash;
  }
};

const rewritten = (message: string, hint: string): UpgradeError =>
  new UpgradeError("HISTORY_REWRITTEN", message, { hint });
