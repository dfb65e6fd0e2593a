import type { ProofResult } from "../../guard/proof.ts";
import type { ProofOrder } from "../../ports/watcher.ts";

/** Proves the instances of some regions. */
export type Prover = {
  readonly regions: readonly string[];
  readonly prove: (order: ProofOrder, signal: AbortSignal) => Promise<ProofResult>;
};

/** One proof by several who each reach their own regions: it holds where every part of it does, and one that is refuted ends the others. */
export const proveByRegion = async (
  order: ProofOrder,
  provers: readonly Prover[],
  signal: AbortSignal,
): Promise<ProofResult> => {
  const parts = provers.flatMap(({ regions, prove }) => {
    const instances = order.instances.filter(({ region }) => regions.includes(region));
    return instances.length === 0 ? [] : [{ order: { ...order, instances }, prove }];
  });
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only.prove(order, signal);
  const enough = new AbortController();
  const within = AbortSignal.any([signal, enough.signal]);
  const refuted = Promise.withResolvers<ProofResult>();
  const running = parts.map(async (part) => {
    const result = await part.prove(part.order, within);
    if (result.kind === "refuted") refuted.resolve(result);
    return result;
  });
  try {
    return await Promise.race([refuted.promise, Promise.all(running).then((results) => together(results))]);
  } finally {
    enough.abort(new Error("another region has refuted it"));
    await Promise.allSettled(running);
  }
};

const together = (results: readonly ProofResult[]): ProofResult => {
  const outcomes = results.reduce((sum, result) => sum + result.outcomes, 0);
  const open = results.find(({ kind }) => kind === "undecided");
  if (open !== undefined) return { ...open, outcomes };
  const ms = Math.max(0, ...results.map((result) => (result.kind === "undecided" ? 0 : result.ms)));
  return { kind: "proved", outcomes, ms };
};
