/** Numbers in [0, 1), the same ones for the same seed. */
export type Random = () => number;

/** A small generator (mulberry32) seeded by a text or number. Not for secrets. */
export const createRandom = (seed: number | string): Random => {
  let state = hashOf(String(seed));
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** The item at `draw` in [0, 1). */
export const pick = <T>(items: readonly T[], draw: number): T | undefined => items[Math.floor(draw * items.length)];

// FNV-1a: neighbouring seeds must not give neighbouring streams.
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash | 0;
};
