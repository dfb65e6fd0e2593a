import type { Clock } from "../../ports/clock.ts";

/** Works that begin one after the other: the next one when the one before has ended, or `apartMs` after it began. */
export const turns = (clock: Clock, apartMs: number) => {
  let last: Promise<void> = Promise.resolve();
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    const before = last;
    const ended = new AbortController();
    last = before.then(() => clock.sleep(apartMs, AbortSignal.any([signal, ended.signal])).catch(() => {}));
    await before;
    try {
      return await work();
    } finally {
      ended.abort();
    }
  };
};
