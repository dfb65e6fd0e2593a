import { otherRegion } from "./config.ts";
import type { Region } from "./config.ts";
import type { Random } from "./random.ts";

/** Which region a user's next operation goes to. */
export type Route = {
  /** The region to use now. */
  region(nowMs: number): Region;
  /** The user could not work in `region`: the next operation goes to the other one. */
  failed(region: Region, nowMs: number): void;
  /** The user worked in `region`. */
  worked(region: Region): void;
};

/** Tells whether a region serves again; asks it on the side and answers at once with what it knows. */
export type IsServing = (region: Region) => boolean;

/**
 * A careful client's route: away from home after a failure, for 1 s at first and twice as long each time up to 10 s, with jitter;
 * back only when home is seen to serve. If the other region fails too, home is tried next.
 */
export const createRoute = (home: Region, isServing: IsServing, random: Random): Route => {
  const other = otherRegion(home);
  let awayUntil = 0;
  let isAway = false;
  let failuresInRow = 0;
  return {
    region(nowMs) {
      if (isAway && nowMs >= awayUntil && isServing(home)) isAway = false;
      return isAway ? other : home;
    },
    failed(region, nowMs) {
      if (region === other) {
        isAway = false;
        return;
      }
      // What was under way when the region failed tells nothing new.
      if (isAway) return;
      isAway = true;
      awayUntil = nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** failuresInRow) * (0.5 + random());
      failuresInRow++;
    },
    worked(region) {
      if (region === home) failuresInRow = 0;
    },
  };
};

const FIRST_MS = 1_000;
const LONGEST_MS = 10_000;
