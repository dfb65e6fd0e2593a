import { createRandom, pick } from "./random.ts";
import type { Random } from "./random.ts";

/** What a user wants to do when his turn comes. Without a resting order an amend or cancel becomes a place. */
export type Wish = "place" | "amend" | "cancel" | "leverage";

/**
 * How a user spoils his own operation. `cut`: the connection is cut in the middle of the request.
 * `impatient`: he gives up before the answer. `closed-port`: he dials a wrong port.
 */
export type Plant = "cut" | "impatient" | "closed-port";

/** One turn of one user. All luck is drawn here, so that what users want never depends on what the venue answers. */
export type Arrival = {
  readonly index: number;
  /** ms after the start. */
  readonly atMs: number;
  readonly uid: string;
  readonly wish: Wish;
  readonly plant?: Plant;
  /** Draws in [0, 1) for the details of the operation. */
  readonly draws: readonly [which: number, how: number, price: number, size: number];
};

/** A user's habits, fixed for the whole run. */
export type Habits = {
  readonly uid: string;
  readonly home: "tokyo" | "frankfurt";
  readonly protocol: "rest" | "ws";
  /** How many orders he likes to have resting: 0–8. */
  readonly resting: number;
};

export type ScheduleOptions = {
  readonly uids: readonly string[];
  readonly seed: number | string;
  readonly ratePerSec: number;
  readonly plantedFailureRate: number;
  readonly leverageShare: number;
};

/** Endless Poisson arrivals, the same for the same options. */
export function* arrivals(options: ScheduleOptions): Generator<Arrival, never> {
  const random = createRandom(`${options.seed}/arrivals`);
  const planted = planter(createRandom(`${options.seed}/planted`), options.plantedFailureRate);
  let atMs = 0;
  for (let index = 0; ; index++) {
    atMs += (-Math.log(1 - random()) * 1_000) / options.ratePerSec;
    const uid = pick(options.uids, random()) ?? "";
    const wish = wishOf(random(), options.leverageShare);
    const draws = [random(), random(), random(), random()] as const;
    const plant = wish === "leverage" ? undefined : planted();
    yield { index, atMs, uid, wish, draws, ...(plant === undefined ? {} : { plant }) };
  }
}

/** Half of the users live in each region; `wsShare` of them trade over WebSocket. */
export const habitsOf = (uids: readonly string[], seed: number | string, wsShare: number): readonly Habits[] => {
  const random = createRandom(`${seed}/habits`);
  return uids.map((uid, index) => ({
    uid,
    home: (index + Math.floor(index / 10)) % 2 === 0 ? "tokyo" : "frankfurt",
    protocol: random() < wsShare ? "ws" : "rest",
    resting: pick(RESTING, random()) ?? 2,
  }));
};

// Most users have several resting orders most of the time, a few none.
const RESTING: readonly number[] = [0, 1, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8];

// Who has nothing to amend places, who has too much cancels: from these wishes come about 45 % places, 25 % amends and 30 % cancels.
const wishOf = (draw: number, leverageShare: number): Wish => {
  if (draw < leverageShare) return "leverage";
  const order = (draw - leverageShare) / (1 - leverageShare);
  if (order < 0.45) return "place";
  return order < 0.76 ? "amend" : "cancel";
};

const PLANTS: readonly Plant[] = ["cut", "impatient", "closed-port"];

// Mostly single failures, now and then two to four in a row: a guard that trips on three in a row must be caught.
const planter = (random: Random, rate: number): (() => Plant | undefined) => {
  const perStart = 0.8 + 0.2 * 3;
  let left = 0;
  return () => {
    if (left === 0 && random() < rate / perStart) left = random() < 0.8 ? 1 : 2 + Math.floor(random() * 3);
    if (left === 0) return undefined;
    left--;
    return pick(PLANTS, random());
  };
};
