import type { SumKey } from "./prober-line.ts";

/** Counts since the process began. */
export type Sums = {
  add(key: SumKey): void;
  /** Those that have grown since they were last asked for; `isWhole`: all of them. */
  take(isWhole: boolean): readonly (readonly [SumKey, number])[];
};

export const startSums = (): Sums => {
  const sums = new Map<string, { readonly key: SumKey; count: number }>();
  let grown = new Set<string>();
  return {
    add(key) {
      const name = JSON.stringify(key);
      const known = sums.get(name);
      if (known === undefined) sums.set(name, { key, count: 1 });
      else known.count += 1;
      grown.add(name);
    },
    take(isWhole) {
      const names = isWhole ? sums.keys() : grown.values();
      const taken = [...names].flatMap((name) => {
        const known = sums.get(name);
        return known === undefined ? [] : [[known.key, known.count] as const];
      });
      grown = new Set();
      return taken;
    },
  };
};
