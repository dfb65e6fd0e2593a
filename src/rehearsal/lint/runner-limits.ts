/** What midflight's own runner sets while it migrates; a test holds them to the runner's budgets. */
export const RUNNER_LIMITS = {
  /** In each transaction, for the wait for a lock and for a statement. */
  lockTimeoutMs: 100,
  statementTimeoutMs: 30_000,
  /** Around CONCURRENTLY. */
  concurrentLockTimeoutMs: 120_000,
} as const;
