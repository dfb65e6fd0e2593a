/** Time and luck, so that the simulated world can own them. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Monotonic ms. */
  monotonic(): number;
  /** Resolves after `ms`, rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
