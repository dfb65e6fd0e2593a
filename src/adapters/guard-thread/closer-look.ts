import { shareOf, tally, type Count } from "../../guard/count.ts";

/** How counters of all instances are read once. They are asked one after the other over `spreadMs`: all at once they would answer us while users wait. */
export type Pace = {
  readonly everyMs: number;
  readonly spreadMs: number;
  /** The bin is closed after this time; who answers later is counted in the next one. */
  readonly closedMs: number;
};

const USUAL: Pace = { everyMs: 100, spreadMs: 50, closedMs: 65 };
const CLOSE: Pace = { everyMs: 20, spreadMs: 10, closedMs: 17 };

/** How long a closer look goes on after the bin that asked for it, and how long one may take. */
const LOOK_MS = 500;
const MOST_MS = 3_000;
/** From the begin of one look to the next, so that instances that fail for hours are not asked fifty times a second. */
const PAUSE_MS = 30_000;

/**
 * Where traffic is dense, new instances that fail beside old ones are looked at in bins five times as short: the signs that an undo
 * waits for come one a bin, however many operations fail in it. Whether to look closer is known before the next bin is, so nothing is chosen by what it shows.
 */
export type CloserLook = {
  pace(now: number): Pace;
  /** Told the counts of each bin. */
  note(counts: readonly Count[], now: number): void;
};

/** `now` is monotonic ms. */
export const closerLook = (): CloserLook => {
  let [begun, until] = [-Infinity, -Infinity];
  return {
    pace: (now) => (now < until ? CLOSE : USUAL),
    note(counts, now) {
      if (!asksForIt(counts)) return;
      if (now >= until && now - begun < PAUSE_MS) return;
      if (now >= until) begun = now;
      until = Math.min(now + LOOK_MS, begun + MOST_MS);
    },
  };
};

/** Fewer in a bin come too thin for shorter ones to tell more. */
const FEW = 3;
const SHARE = 0.2;

const asksForIt = (counts: readonly Count[]): boolean => {
  const exposed = counts.filter((count) => count.isExposed !== false);
  const fresh = tally(exposed.filter(({ side }) => side === "new"));
  return fresh.failed >= FEW && shareOf(fresh) >= SHARE && exposed.some(({ side }) => side === "old");
};
