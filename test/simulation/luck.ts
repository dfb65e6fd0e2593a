/** A 32-bit xorshift over a hashed seed: enough for schedules, the same everywhere. */
export type Luck = {
  /** 0 ≤ x < 1. */
  next(): number;
  chance(p: number): boolean;
  /** a ≤ n ≤ b. */
  int(a: number, b: number): number;
  pick<T>(items: readonly T[]): T;
};

export function luckOf(seed: number): Luck {
  let state = hash(seed) || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return {
    next,
    chance: (p) => next() < p,
    int: (a, b) => a + Math.floor(next() * (b - a + 1)),
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}

/** Small seeds start poorly without it. */
function hash(seed: number): number {
  let value = (seed + 0x9e3779b9) | 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) | 0;
}
