import type { Backend } from "./backend.ts";

/** Chooses a backend by weight. */
export type Choose = (backends: readonly Backend[]) => Backend | undefined;

/**
 * Smooth weighted round-robin: exact shares over any stretch of requests, no bursts to one backend.
 * A new weight counts from the next choice. `undefined` when no weight is above 0.
 */
export const createChoice = (): Choose => {
  const credit = new Map<string, number>();
  return (backends) => {
    const eligible = backends.filter(({ weight }) => weight > 0);
    const total = eligible.reduce((sum, { weight }) => sum + weight, 0);
    let best: Backend | undefined;
    for (const each of eligible) {
      credit.set(each.id, (credit.get(each.id) ?? 0) + each.weight);
      if (best === undefined || (credit.get(each.id) ?? 0) > (credit.get(best.id) ?? 0)) best = each;
    }
    if (best !== undefined) credit.set(best.id, (credit.get(best.id) ?? 0) - total);
    // Whoever takes no part must not come back with old credit, and take everything at once.
    for (const id of credit.keys()) if (!eligible.some((each) => each.id === id)) credit.delete(id);
    return best;
  };
};
