/**
 * Notices when this thread itself was held up: a deadline that passed meanwhile says nothing about the venue.
 */
export type Lag = {
  /** Longest stall that touched the time since `from` (monotonic ms). */
  since(from: number): number;
  stop(): void;
};

const EVERY_MS = 20;
const WORTH_MS = 40;
const KEEP_MS = 2_000;

export const watchLag = (now: () => number = () => performance.now()): Lag => {
  let stalls: readonly { readonly at: number; readonly ms: number }[] = [];
  let last = now();
  const timer = setInterval(() => {
    const at = now();
    const ms = at - last - EVERY_MS;
    last = at;
    if (ms >= WORTH_MS) stalls = [...stalls.filter((stall) => stall.at > at - KEEP_MS), { at, ms }];
  }, EVERY_MS);
  return {
    since(from) {
      // The stall that goes on right now has not been noticed by the timer yet.
      const running = now() - last - EVERY_MS;
      return Math.max(0, running, ...stalls.filter(({ at }) => at >= from).map(({ ms }) => ms));
    },
    stop: () => clearInterval(timer),
  };
};
