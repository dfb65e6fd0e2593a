import type { Migration } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Fence } from "../../ports/fence.ts";
import type { Budgets } from "./budgets.ts";
import type { Connection } from "./connect.ts";
import type { Target } from "./target.ts";

/** What all files of one `migrate` share. */
export type Session = {
  readonly target: Target;
  readonly budgets: Budgets;
  readonly clock: Clock;
  /** From 0 to 1, for jitter. */
  readonly luck: () => number;
  readonly fence: Fence;
  readonly signal: AbortSignal;
  readonly migrations: readonly Migration[];
  /**
   * Holds the lock against other runners, and is otherwise idle: it asks who blocks, and cancels. It never has a
   * transaction open, since a concurrent index would wait for it. Its search_path is empty.
   */
  readonly keeper: Connection;
};
