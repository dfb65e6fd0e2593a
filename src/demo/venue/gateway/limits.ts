/** What is limited: a single operation per user and instrument, or the orders of a batch. */
export type Limit = { readonly count: number; readonly windowMs: number };

export const SINGLE: Limit = { count: 60, windowMs: 2_000 };
export const BATCH: Limit = { count: 300, windowMs: 2_000 };
export const DEAD_MAN: Limit = { count: 1, windowMs: 1_000 };
export const QUERY: Limit = { count: 60, windowMs: 2_000 };

/** Counts requests per key. One set serves REST and WebSocket, which share their limits. */
export type Limits = {
  /** Takes `amount` from the key's allowance; false: over the limit, nothing was taken. */
  take(key: string, limit: Limit, amount: number): boolean;
};

type Window = { readonly since: number; readonly used: number };

/**
 * Fixed windows that start with the first request of a key. `now` is in ms.
 * Counted in this process: a user who is spread over several gateways has the allowance of each.
 */
export const createLimits = (now: () => number): Limits => {
  const windows = new Map<string, Window>();
  return {
    take(key, limit, amount) {
      if (windows.size > MAX_KEYS) dropOld(windows, now());
      const known = windows.get(key);
      const current = known !== undefined && now() - known.since < limit.windowMs ? known : { since: now(), used: 0 };
      if (current.used + amount > limit.count) return false;
      windows.set(key, { since: current.since, used: current.used + amount });
      return true;
    },
  };
};

const MAX_KEYS = 10_000;

const dropOld = (windows: Map<string, Window>, now: number): void => {
  for (const [key, window] of windows) if (now - window.since > BATCH.windowMs) windows.delete(key);
};
