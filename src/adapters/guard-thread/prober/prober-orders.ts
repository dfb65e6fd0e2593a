import type { ProofOrder, WatchedInstance } from "../../../ports/watcher.ts";

/** What a prober is told, all of it each time. */
export type ProberOrders = {
  /** Of one guard: proofs of another one are none of ours. */
  readonly session: string;
  /** Grows with each, also where nothing else is new: a prober that hears no other number for a while has lost its guard. */
  readonly number: number;
  /** Asks for a whole line when it grows. */
  readonly whole: number;
  readonly instances: readonly WatchedInstance[];
  readonly proofs: readonly ProofOrder[];
};

/** How often a guard says that it lives, and how long a prober goes on without a word: no longer than the venue's own switch would wait. */
export const BEAT_MS = 3_000;
export const ALONE_MS = 10_000;

/** Undefined: nothing was ordered yet. */
export const readOrders = (text: string): ProberOrders | undefined => {
  try {
    const given = JSON.parse(text) as Partial<ProberOrders> | null;
    const isOrders =
      typeof given?.session === "string" &&
      typeof given.number === "number" &&
      typeof given.whole === "number" &&
      Array.isArray(given.instances) &&
      Array.isArray(given.proofs);
    return isOrders ? (given as ProberOrders) : undefined;
  } catch {
    return undefined;
  }
};
