import { setTimeout } from "node:timers/promises";

/** Rejects when aborted. */
export const pause = async (durationMs: number, signal: AbortSignal): Promise<void> => {
  await setTimeout(durationMs, undefined, { signal });
};
