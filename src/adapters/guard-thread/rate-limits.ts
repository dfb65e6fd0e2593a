/** Keeps probes below the venue's limits, which are counted per account and kind of request in windows of 2 s. REST and WebSocket share them. */
export type RateLimits = {
  /** Whether another request of this kind is allowed now. */
  has(account: string, kind: string): boolean;
  /** Takes one, if there is one. */
  take(account: string, kind: string): boolean;
};

const WINDOW_MS = 2_000;
/** The venue allows 60. What is left is for whoever looks after orders. */
export const MOST = 48;
/** An order is placed, amended and cancelled: three operations, and two queries that ask whether amend and cancel were executed. */
const OPERATIONS_OF_AN_ORDER = 3;
const QUERIES_OF_AN_ORDER = 2;

/** Probe operations that one account can do in a second: its queries run out first. */
export const OPERATIONS_PER_ACCOUNT = ((MOST / QUERIES_OF_AN_ORDER) * OPERATIONS_OF_AN_ORDER * 1_000) / WINDOW_MS;

/** Accounts that a region needs for so many probe operations a second. */
export const accountsNeeded = (perSec: number): number => Math.ceil(perSec / OPERATIONS_PER_ACCOUNT);

export const rateLimits = (now: () => number = () => performance.now()): RateLimits => {
  const used = new Map<string, number[]>();
  /** When requests of the window were made, the oldest first. */
  const recent = (key: string): number[] => {
    const times = used.get(key) ?? [];
    if (!used.has(key)) used.set(key, times);
    const from = now() - WINDOW_MS;
    while (times.length > 0 && (times[0] ?? 0) <= from) times.shift();
    return times;
  };
  return {
    has: (account, kind) => recent(`${account} ${kind}`).length < MOST,
    take(account, kind) {
      const times = recent(`${account} ${kind}`);
      if (times.length >= MOST) return false;
      times.push(now());
      return true;
    },
  };
};
