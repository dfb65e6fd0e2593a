/** Probes that stand in a region, of whichever run. */
export type LeftProber = {
  readonly name: string;
  /** For sentences. */
  readonly place: string;
  readonly run: string;
  /** Nobody has ordered them for a while: their guard is dead. */
  readonly isAbandoned: boolean;
};

/** Finds and removes probes that a dead run left in a region. */
export interface LeftProbers {
  /** Takes a few seconds where there are any. Changes nothing. Rejects `PROBES_UNREACHABLE`. */
  look(signal: AbortSignal): Promise<readonly LeftProber[]>;
  /** They take back what they left open. Rejects `PROBES_UNREACHABLE`. */
  remove(left: LeftProber, signal: AbortSignal): Promise<void>;
}
