/** Keeps probes below the venue's limits, which are counted per account and kind of request in windows of 2 s. */
export type RateLimits = {
  /** Whether another request of this kind is allowed now. */
  has(account: string, kind: string): boolean;
  /** Takes one, if there is one. */
  take(account: string, kind: string): boolean;
};

const WINDOW_MS = 2_000;
/** The venue allows 60. What is left is for whoever looks after orders. */
const MOST = 48;

export const rateLimits = (now: () => number = () => performance.now()): RateLimits => {
  const used = new Map<string, number[]>();
  const recent = (key: string): number[] => {
    const times = (used.get(key) ?? []).filter((time) => time > now() - WINDOW_MS);
    used.set(key, times);
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
