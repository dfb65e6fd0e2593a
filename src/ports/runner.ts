/** Runs the plan's own programs: `run` steps and backup plans. */
export interface Runner {
  /**
   * Resolves on exit status 0 with the end of what it printed. The program gets `env` besides the process's own, and dies (whole group) when the signal aborts or `timeoutMs` pass.
   * Rejects `RUN_FAILED` with status and the last lines, `RUN_TIMED_OUT`, `RUN_NOT_FOUND`.
   */
  run(order: RunOrder, signal: AbortSignal): Promise<{ readonly output: string; readonly ms: number }>;
}
export type RunOrder = {
  readonly argv: readonly string[];
  readonly shell: boolean;
  readonly timeoutMs: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
};
