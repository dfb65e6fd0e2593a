import { comparisonEvidence } from "./comparison.ts";
import { shareOf, tally } from "./count.ts";
import { isAlarm } from "./detector/promise.ts";
import { regionsOf } from "./explain.ts";
import type { JudgeState, Latch } from "./judge-state.ts";
import { disturb, fail, unprove } from "./latch.ts";
import { isExplainedByLoss, isNew, isOld, isTroubled, sentence, since } from "./scene.ts";
import { missingEvidence, RECOVERY } from "./strata.ts";
import { onsetOf } from "./window.ts";

/** New worse than old, bin by bin. */
export const noteSigns = (state: JudgeState): JudgeState => {
  const { latch } = state;
  if (state.change.kind !== "instances" || (latch?.kind !== "suspect" && latch?.kind !== "disturbed")) return state;
  if (isExplainedByLoss(state) || state.lost.length > 0) return state;
  if (onsetOf(state.window, isNew) === undefined) return state;
  const isCertain = isAlarm(comparisonEvidence(state.comparison), state.settings.promised) || isConfirmed(state, latch);
  return isCertain ? fail(state, regionsOf(since(state, isNew)), sentence(state, isNew, isOld)) : state;
};

/**
 * The alarm came twice, each time from nothing, the old side, watched as well, is quiet, and the signs lean against the new one. A burst on one
 * new instance may do the first; that signs lean so far by luck happens in one of five suspicions at most: `suspectComparison` gives them a fifth of it.
 */
const isConfirmed = (state: JudgeState, latch: Latch): boolean => {
  if (!("isRepeated" in latch)) return false;
  if (comparisonEvidence(state.comparison) < state.settings.promised.alarm / LEAN) return false;
  const [fresh, old] = [tally(since(state, isNew)), tally(since(state, isOld))];
  return old.issued * 1.25 >= fresh.issued && !isTroubled(state, fresh, old);
};
const LEAN = 100;

export const noteBudget = (state: JudgeState): JudgeState => {
  const { change, spent, settings, latch } = state;
  if (change.kind === "none" || latch?.kind === "failing" || state.lost.length > 0) return state;
  const [used, isJudged] =
    change.kind === "instances" ? ([spent.fresh, isNew] as const) : ([spent.all, (): boolean => true] as const);
  if (used <= settings.budget) return state;
  const [fresh, old] = [tally(since(state, isJudged)), tally(since(state, isOld))];
  if (change.kind === "instances" && shareOf(old) * 2 > shareOf(fresh)) return state;
  return fail(
    state,
    regionsOf(since(state, isJudged)),
    `${used} user operations failed since ${change.component} was changed, more than the ${settings.budget} allowed: ${sentence(state, isJudged, isOld)}`,
  );
};

/**
 * A suspicion clears by evidence from whoever raised it, or becomes a certainty. That no new instance is left clears nothing: where to withdraw is
 * to take away, they would be called back only because nobody sees them fail any more.
 */
export const noteDeadline = (state: JudgeState): JudgeState => {
  const { latch, clearing, settings } = state;
  if (latch?.kind !== "suspect") return state;
  if (clearing !== undefined && isCleared(state, latch, clearing))
    return unprove(state, "the suspicion has cleared; no evidence of health yet");
  if (state.at - latch.since < settings.suspectForMs) return state;
  const [fresh, old] = [tally(since(state, isNew)), tally(since(state, isOld))];
  if (isTroubled(state, fresh, old))
    return disturb(state, latch.regions, `${latch.reason}: the old release is in trouble too`);
  return fail(state, latch.regions, `${latch.reason}; it has not cleared within ${settings.suspectForMs / 1000} s`);
};

const isCleared = (
  state: JudgeState,
  latch: Extract<Latch, { kind: "suspect" }>,
  clearing: NonNullable<JudgeState["clearing"]>,
): boolean => {
  const { strata, baselinePct } = state.settings;
  const affected = strata.filter(({ region }) => latch.regions.includes(region));
  return (
    latch.sources.length > 0 &&
    latch.sources.every(
      (source) =>
        // Stryker disable next-line ArrayDeclaration: what is no instance is on no side
        missingEvidence(clearing[source], affected, [], { need: RECOVERY, baselinePct, probed: [] }) === undefined,
    )
  );
};
