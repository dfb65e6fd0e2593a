import { evidenceIn, freshMixture, type Mixture } from "../../src/guard/detector/mixture.ts";
import { foldOutcome, foldSuccesses, outcomeBets } from "../../src/guard/detector/outcomes.ts";
import { isAlarm, massSince, promisedBy, type Promised } from "../../src/guard/detector/promise.ts";
import type { Run } from "./delays.ts";
import { geometric, type Luck } from "./luck.ts";

/** A stream that begins to fail, evenly spaced, with independent outcomes. Nothing is known before: the worst case. */
export type OutcomeCase = {
  readonly p0: number;
  readonly p1: number;
  readonly perSec: number;
  readonly falseAlarmEverySec: number;
  /** The fault comes with a step, and half of the promise has been spent on steps. */
  readonly isAtStep: boolean;
  /** How long the stream rests after a failure, ms; 0 for failures that are independent. */
  readonly restMs: number;
};

/** One run of the per-outcome form, as the guard folds it. */
export const outcomeDelay = (luck: Luck, how: OutcomeCase): Run => {
  const promised = promiseOf(how);
  const bets = outcomeBets(how.p0);
  const spacing = 1 / how.perSec;
  const resting = Math.max(0, Math.ceil((how.restMs / 1000) * how.perSec) - 1);
  let mixture = freshMixture(bets.failed.length);
  let [index, failed] = [0, 0];
  for (;;) {
    const successes = geometric(luck, how.p1);
    mixture = successesFrom(mixture, { from: index, count: successes });
    index += successes;
    mixture = foldOutcome(mixture, bets, { isFailed: true, mass: massAt(index) });
    index++;
    failed++;
    if (isAlarm(evidenceIn(mixture), promised)) return { seconds: index * spacing, failed };
    for (let rested = 0; rested < resting; rested++) if (luck() < how.p1) failed++;
    index += resting;
  }

  function massAt(sample: number): number {
    if (!how.isAtStep) return spacing;
    const [now, before] = [sample, sample - 1].map((n) =>
      n < 0 ? 0 : massSince(promised.stepMass, n * spacing * 1000),
    );
    return spacing + (now ?? 0) - (before ?? 0);
  }

  // The step's mass comes evenly, but for its first half; so what is skipped has one mass for each sample, on both sides of its end.
  function successesFrom(start: Mixture, skip: { readonly from: number; readonly count: number }): Mixture {
    let [soFar, from, count] = [start, skip.from, skip.count];
    const edges = how.isAtStep ? [1, Math.ceil(30 * how.perSec), Math.ceil(30 * how.perSec) + 1] : [];
    for (const edge of [...edges, Infinity]) {
      const part = Math.min(count, edge - from);
      if (part <= 0) continue;
      soFar = foldSuccesses(soFar, bets, { count: part, mass: massAt(from) });
      from += part;
      count -= part;
    }
    return soFar;
  }
};

/** At a step the alarm level is that of both halves of the promise; without steps all of it pays for time. */
export const promiseOf = (how: { readonly isAtStep: boolean; readonly falseAlarmEverySec: number }): Promised =>
  how.isAtStep ? promisedBy(how.falseAlarmEverySec) : { alarm: how.falseAlarmEverySec, stepMass: 0 };
