import type { Clock } from "../../src/ports/clock.ts";

/** Time that stands still until a test moves it. */
export type FakeClock = Clock & {
  /** Moves on by `ms`, wakes every sleeper on the way in order, and lets what they do happen. */
  advance(ms: number): Promise<void>;
  /** How many sleep. */
  sleepers(): number;
};

type Sleeper = { readonly at: number; readonly wake: () => void };

export const fakeClock = (start = 1_700_000_000_000): FakeClock => {
  let time = start;
  let sleeping: readonly Sleeper[] = [];
  const leave = (sleeper: Sleeper): void => {
    sleeping = sleeping.filter((other) => other !== sleeper);
  };
  return {
    now: () => time,
    monotonic: () => time - start,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const stop = (): void => {
          leave(sleeper);
          reject(signal.reason);
        };
        const wake = (): void => {
          leave(sleeper);
          signal.removeEventListener("abort", stop);
          resolve();
        };
        const sleeper: Sleeper = { at: time + ms, wake };
        sleeping = [...sleeping, sleeper];
        signal.addEventListener("abort", stop, { once: true });
      }),
    async advance(ms) {
      const end = time + ms;
      for (;;) {
        await settle();
        const next = sleeping.filter((one) => one.at <= end).toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined) break;
        time = Math.max(time, next.at);
        next.wake();
      }
      time = end;
      await settle();
    },
    sleepers: () => sleeping.length,
  };
};

/** Enough turns of the microtask queue for what was woken to get to its next wait. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
