/**
 * Whoever else writes to a component by himself, such as a GitOps controller, told to wait while a run lasts. What was paused, and what it
 * was before, stands at the paused thing itself, so that anybody can give it back when the run dies.
 */
export interface Managers {
  /**
   * Resolves with a sentence for each that waits now; several runs may let the same one wait. Repeatable.
   * Rejects `MANAGER_NOT_PAUSED`; then none waits that did not before.
   */
  pause(run: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Lets those go on that wait for no other run, each as it was before. Resolves with their names. Repeatable. */
  giveBack(run: string, signal: AbortSignal): Promise<readonly string[]>;
}
