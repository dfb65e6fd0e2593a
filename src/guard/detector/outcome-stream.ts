import { freshMixture, type Mixture } from "./mixture.ts";
import { foldOutcome, type OutcomeBets } from "./outcomes.ts";

/**
 * Single outcomes of which failures may come in bursts. After a failure that counted, the stream rests as long as a burst may last:
 * what happens then is neither held against it nor for it. The promise holds while an outcome that comes outside a rest fails with a chance
 * of at most p0, whatever hangs together with what inside.
 */
export type OutcomeStream = {
  readonly mixture: Mixture;
  /** Outcomes issued before this rest, ms. */
  readonly restUntil: number;
};

export const freshOutcomeStream = (bets: OutcomeBets): OutcomeStream => ({
  mixture: freshMixture(bets.failed.length),
  restUntil: -Infinity,
});

export const foldIntoStream = (
  stream: OutcomeStream,
  outcome: { readonly at: number; readonly isFailed: boolean; readonly mass: number },
  { bets, restMs }: { readonly bets: OutcomeBets; readonly restMs: number },
): OutcomeStream => {
  if (outcome.at < stream.restUntil) return stream;
  return {
    mixture: foldOutcome(stream.mixture, bets, outcome),
    restUntil: outcome.isFailed ? outcome.at + restMs : stream.restUntil,
  };
};
