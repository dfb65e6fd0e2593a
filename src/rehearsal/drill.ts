/**
 * What a rehearsal tried, and what came of it: a line of its report and of its certificate.
 * `lint`: a migration as written. `parity`: demo against production. `trial`: migrations on a clone. `undo`: a step taken back.
 * `fault`: something broken on purpose. `dark`: what new instances do before users reach them. `walk`: the whole plan. `pair`: releases of two components that serve together on its way. `backup`: a backup plan, run. `soak`: stable for a time.
 */
export type Drill = {
  readonly name: string;
  /** Id of the move or the migration that it is about; `plan` for all of it. */
  readonly step: string;
  readonly kind: DrillKind;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly ms: number;
  /** What was seen; why, where it failed or was left out. */
  readonly detail: string;
  /** What each statement of a migration took, where that was measured. */
  readonly statements?: readonly MeasuredStatement[];
};

/** A statement on a clone. `lock`: the strongest that it took on a table that stood before, as PostgreSQL calls it; `heldMs`: until its transaction ended. */
export type MeasuredStatement = {
  readonly name: string;
  readonly lock?: string;
  readonly tables: readonly string[];
  readonly ms: number;
  readonly heldMs: number;
};

export type DrillKind = "lint" | "parity" | "trial" | "undo" | "fault" | "dark" | "walk" | "pair" | "backup" | "soak";

/** Whether nothing failed. What was skipped is told, and says why. */
export const havePassed = (drills: readonly Drill[]): boolean => drills.every(({ outcome }) => outcome !== "failed");
