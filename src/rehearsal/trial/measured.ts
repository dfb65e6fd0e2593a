import type { TracedRun } from "../../ports/trials.ts";
import type { MeasuredStatement } from "../drill.ts";

/** PostgreSQL's table locks, the weakest first. */
export const LOCKS = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
] as const;

/** What each statement took, and for how long: a lock stays until the transaction ends, behind which everything else of the file comes. */
export function measuredOf(migration: string, { statements }: TracedRun): readonly MeasuredStatement[] {
  const isWhole = statements.every(({ seen }) => seen !== "outside");
  return statements.map(({ number, firstLine, ms, locks }, index) => {
    const strongest = LOCKS.findLast((lock) => locks.some(({ mode }) => mode === lock));
    const after = isWhole ? statements.slice(index) : statements.slice(index, index + 1);
    return {
      name: `${migration} ${number}: ${firstLine}`,
      ...(strongest === undefined ? {} : { lock: strongest }),
      tables: locks.flatMap(({ table, mode }) => (mode === strongest ? [table] : [])),
      ms,
      heldMs: after.reduce((sum, one) => sum + one.ms, 0),
    };
  });
}
