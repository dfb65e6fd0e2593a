import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * V8 lets the space of new objects grow to three times 32 MB in each thread. That saves it a little work, and stays resident for as long as the
 * process lives: in a conductor more than everything else together. So it grows to this, and no further.
 */
const SEMI_SPACE_MB = 4;
/** Threads that are started later have less to do. */
const SEMI_SPACE_OF_THREADS_MB = 2;
const MOST_TURNS = 64;
/** The old space is swept once it has grown by this share, and not only once it is several times as large. */
const GROWTH_PCT = 40;

/** Bounds the heaps of this thread and of all that are started later. Call it first: what has grown already stays. */
export function boundHeaps(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PCT}`);
  setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_OF_THREADS_MB}`);
  // Of a heap that stands already only the growth can be told: it grows in one go, by objects that live on, and is kept there.
  setFlagsFromString(`--semi-space-growth-factor=${SEMI_SPACE_MB}`);
  const kept: unknown[] = [];
  while (semiSpacesMb() < 2 * SEMI_SPACE_MB && kept.length < MOST_TURNS) kept.push(Array.from({ length: 8_192 }));
  setFlagsFromString("--semi-space-growth-factor=1");
}

const semiSpacesMb = (): number =>
  (getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? Infinity) / 1_048_576;
