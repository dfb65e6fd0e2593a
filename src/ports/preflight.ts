/** Looks at a target before anything begins, and tells what could go wrong although it answers. */
export interface Preflight {
  /** A sentence each, without the names of component and region. Changes nothing. Rejects `WORKLOAD_UNREACHABLE` and what else keeps it from looking. */
  risks(region: string, signal: AbortSignal): Promise<readonly string[]>;
}
