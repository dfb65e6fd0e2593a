/** How long a migration may hold up users, and how long it tries. All in ms. */
export type Budgets = {
  readonly connectMs: number;
  /** For everything that only reads: the catalogue, the history. */
  readonly readMs: number;
  /** How long to wait for another runner to finish. */
  readonly runnerLockMs: number;
  /** Catalogue class: one wait for a lock. Users queue behind it, so it must end before their own deadlines do. */
  readonly lockTimeoutMs: number;
  /** Catalogue class: attempts, and the time for all of them. */
  readonly lockTries: number;
  readonly lockTotalMs: number;
  readonly statementTimeoutMs: number;
  /** Concurrent class: such a statement waits for old snapshots and holds up nobody; a short wait leaves an INVALID index. */
  readonly concurrentLockTimeoutMs: number;
  readonly concurrentTries: number;
  readonly concurrentStatementTimeoutMs: number;
  readonly verifyMs: number;
  /** The server ends a transaction that its runner forgot, with all its locks. */
  readonly idleInTransactionMs: number;
};

export const BUDGETS: Budgets = {
  connectMs: 5_000,
  readMs: 10_000,
  runnerLockMs: 30_000,
  lockTimeoutMs: 100,
  lockTries: 25,
  lockTotalMs: 30_000,
  statementTimeoutMs: 30_000,
  concurrentLockTimeoutMs: 120_000,
  concurrentTries: 3,
  concurrentStatementTimeoutMs: 3_600_000,
  verifyMs: 30_000,
  idleInTransactionMs: 5_000,
};
