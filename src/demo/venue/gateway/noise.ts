import { createHash } from "node:crypto";
import type { Operations, Outcome } from "./operations.ts";
import { outcomeOf } from "./operations.ts";

/** How a healthy gateway fails: a share of its operations, in bursts of 1 to `burst`, drawn from a seed. */
export type Noise = { readonly seed: string; readonly share: number; readonly burst: number };

/** "Systems are busy": nothing was processed. No other part of this venue answers it, so users can count it apart. */
export const NOISE_CODE = "50013";

/** Reads GATEWAY_NOISE; without it a gateway is flawless. */
export const readNoise = (text: string | undefined): Noise | undefined => {
  if (text === undefined || text === "") return undefined;
  const { seed = "1", share = 0, burst = 4 } = JSON.parse(text) as Partial<Noise>;
  return share > 0 ? { seed, share, burst } : undefined;
};

/** Refuses a few operations before anything is processed, as every real system does. */
export const withNoise = (operations: Operations, noise: Noise | undefined, instance: string): Operations => {
  if (noise === undefined) return operations;
  const luck = luckOf(`${noise.seed}/${instance}`);
  let left = 0;
  const strikes = (): boolean => {
    // A burst begins so rarely that the share comes out right over all its operations.
    if (left === 0 && luck() < noise.share / ((1 + noise.burst) / 2)) left = 1 + Math.floor(luck() * noise.burst);
    if (left === 0) return false;
    left -= 1;
    return true;
  };
  const busy = (named: { readonly ordId?: string; readonly clOrdId?: string }): Promise<Outcome> =>
    Promise.resolve(outcomeOf(NOISE_CODE, named));
  return {
    place: (order) => (strikes() ? busy(order) : operations.place(order)),
    amend: (change) => (strikes() ? busy(change) : operations.amend(change)),
    cancel: (order) => (strikes() ? busy(order) : operations.cancel(order)),
  };
};

/** xorshift over a hashed seed: the same instance fails the same operations in every run. */
function luckOf(seed: string): () => number {
  let state = createHash("sha256").update(seed).digest().readInt32LE(0) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
