/** Who holds an environment's component, as a person reads it. */
export type LeaseHolder = { readonly run: string; readonly host: string; readonly pid: number; readonly since: number };

/** A lease that is held. `epoch` grows with every taking-over and never falls. */
export type HeldLease = {
  readonly epoch: number;
  /** Aborts when the lease is lost or can no longer be proved to be held: send nothing more. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
};

/** At most one conductor per environment and component. */
export interface Lease {
  /**
   * Takes all of `keys` (`production/gateway`), or none. A dead holder on this machine is taken over at once.
   * Rejects `LEASE_HELD` with the holder in words.
   */
  acquire(keys: readonly string[], holder: Omit<LeaseHolder, "since">, signal: AbortSignal): Promise<HeldLease>;
  /** Who holds a key now, if anybody. */
  holder(key: string): Promise<LeaseHolder | undefined>;
}
