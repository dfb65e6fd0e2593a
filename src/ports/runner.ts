import type { JobProgram } from "../plan/model.ts";

/** Runs the plan's own programs: `run` steps and backup plans. */
export interface Runner {
  /**
   * Resolves on exit status 0 with the end of what it printed. The program gets `env` besides the process's own, and dies (whole group) when the signal aborts or `timeoutMs` pass.
   * A Job is made once for an effect: whoever comes again after a crash waits for the one that is there. It is deleted where a program would die.
   * Rejects `RUN_FAILED` with status and the last lines, `RUN_TIMED_OUT`, `RUN_NOT_FOUND`; for a Job `JOBS_UNREACHABLE` too.
   */
  run(order: RunOrder, signal: AbortSignal): Promise<{ readonly output: string; readonly ms: number }>;
}
export type RunOrder = {
  /** Empty for a Job. */
  readonly argv: readonly string[];
  readonly job?: JobProgram;
  readonly shell: boolean;
  readonly timeoutMs: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
};
