import type { MetadataState, MigrationReport } from "../graph/observation.ts";
import type { Migration } from "../plan/model.ts";
import type { Fence } from "./fence.ts";

export type { MetadataState, MigrationReport } from "../graph/observation.ts";

/** One metadata store. Level-triggered like every port. */
export interface Metadata {
  /** Rejects `METADATA_UNREACHABLE`, `HISTORY_REWRITTEN` (an applied file was edited or removed). */
  observe(migrations: readonly Migration[], signal: AbortSignal): Promise<MetadataState>;
  /**
   * `up`: resolves when all `names` are applied and verified; `down`: when none of them is. Already there: no effect.
   * Each migration is change, verification and history row in one transaction, or statement by statement where the file says so.
   * Rejects: `MIGRATION_FAILED`, `MIGRATION_LOCKED` (lock time-outs outlasted the budget; names the blocker), `METADATA_UNREACHABLE`, `FENCED`, `HISTORY_REWRITTEN`.
   */
  migrate(
    order: {
      readonly direction: "up" | "down";
      readonly names: readonly string[];
      readonly migrations: readonly Migration[];
    },
    fence: Fence,
    signal: AbortSignal,
  ): Promise<{ readonly state: MetadataState; readonly reports: readonly MigrationReport[] }>;
  /** Runs the verify scripts of the applied ones among `names`. Rejects `VERIFY_FAILED`. */
  verify(names: readonly string[], migrations: readonly Migration[], signal: AbortSignal): Promise<void>;
}
