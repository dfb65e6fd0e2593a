/** Who holds an environment's component, as a person reads it. */
export type LeaseHolder = { readonly run: string; readonly host: string; readonly pid: number; readonly since: number };

/** A lease that is held. `epoch` grows with every taking-over and never falls. */
export type HeldLease = {
  readonly epoch: number;
  /** Aborts when the lease is lost or can no longer be proved to be held: send nothing more. */
  readonly lost: AbortSignal;
  /** Where a key could not be taken, because nobody answered there. */
  readonly unheld?: readonly Unheld[];
  /**
   * Takes what is missing of a key in a region. Nothing to do where it is held. Rejects what kept it from being taken before, and `LEASE_HELD` where
   * somebody else took it meanwhile: then nothing is to be written there.
   */
  readonly enter?: (key: string, region: string, signal: AbortSignal) => Promise<void>;
  release(): Promise<void>;
};

export type Unheld = { readonly key: string; readonly region: string; readonly why: string };

/** At most one conductor per environment and component. */
export interface Lease {
  /**
   * Takes all of `keys` (`production/gateway`), or none. A dead holder on this machine is taken over at once.
   * Rejects `LEASE_HELD` with the holder in words. `isGoingOn`: a run that has begun is held also where a region does not answer.
   */
  acquire(
    keys: readonly string[],
    holder: Omit<LeaseHolder, "since">,
    signal: AbortSignal,
    how?: { readonly isGoingOn?: boolean },
  ): Promise<HeldLease>;
  /** Who holds a key now, if anybody. */
  holder(key: string): Promise<LeaseHolder | undefined>;
}
