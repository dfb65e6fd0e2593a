/** Looks at a target before anything begins, and tells what could go wrong although it answers. */
export interface Preflight {
  /**
   * Rights that an upgrade needs and this user does not have, a sentence each with the rule to add; none where that cannot be told. Changes
   * nothing. Rejects only with the reason of the signal.
   */
  missingRights(region: string, signal: AbortSignal): Promise<readonly string[]>;
  /** A sentence each, without the names of component and region. Changes nothing. Rejects `WORKLOAD_UNREACHABLE` and what else keeps it from looking. */
  risks(region: string, signal: AbortSignal): Promise<readonly string[]>;
}
