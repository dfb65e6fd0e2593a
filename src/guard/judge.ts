import { noteAlarms } from "./alarms.ts";
import { shareOf, tally } from "./count.ts";
import { gather } from "./gather.ts";
import type { HealthNeed } from "./health.ts";
import type { JudgeInput, JudgeState, Latch } from "./judge-state.ts";
import { noteLosses } from "./losses.ts";
import { isNew } from "./scene.ts";
import { noteShares } from "./shares.ts";
import { noteRecovery, noteSilence } from "./silence.ts";
import { betterBaselineOf, contradictionOf } from "./stated.ts";
import { missingEvidence, nameOf } from "./strata.ts";
import { noteBudget, noteDeadline, noteSigns } from "./suspicion.ts";
import type { StreamReading, Verdict } from "./verdict.ts";
import { countsBetween } from "./window.ts";

export { settingsOf, startJudging } from "./judge-state.ts";
export type { JudgedRegion, JudgeInput, JudgeState } from "./judge-state.ts";

/** What was said, and why: the same object as before while state and regions stay. */
export type Judgement = { readonly state: JudgeState; readonly verdict: Verdict };

/** Folds one input into the state and says what holds now. Total and pure; inputs come in the order of `at`. */
export const judge = (state: JudgeState, input: JudgeInput): Judgement => {
  const at = Math.max(state.at, input.at);
  const stages = [noteLosses, noteAlarms, noteSigns, noteShares, noteBudget, noteDeadline, noteSilence, noteRecovery];
  const judged = stages.reduce((soFar, stage) => stage(soFar), gather({ ...state, at }, input));
  const verdict = verdictOf(judged);
  return { state: { ...judged, verdict }, verdict };
};

/** What is missing until the state shows that failure rates of `excludePct` and more are excluded; undefined: it shows it. */
export const evidenceMissing = (state: JudgeState, need: HealthNeed): string | undefined => {
  if (state.latch !== undefined) return state.latch.reason;
  const { strata, baselinePct, probed } = state.settings;
  return (
    missingEvidence(state.evidence, strata, state.instances, {
      need,
      baselinePct,
      probed,
    }) ?? unmet(state)
  );
};

/**
 * However well new instances do together, one of them may do nothing: before an old one leaves, each was asked for itself. Where no old one takes
 * users any more nobody leaves, and nobody is asked for himself.
 */
const unmet = ({ instances, met, settings }: JudgeState): string | undefined => {
  const serving = instances.filter(({ inTraffic, region }) => inTraffic && settings.probed.includes(region));
  const missing = serving.find(
    ({ id, side, region }) =>
      side === "new" && !met.has(id) && serving.some((other) => other.side === "old" && other.region === region),
  );
  return missing === undefined ? undefined : `${missing.id} in ${missing.region} has not answered a probe of its own`;
};

/** `healthy`, because evidence for it was asked for and is there. What was measured before the first change is told beside it. */
export const provenBy = (state: JudgeState, need: HealthNeed): Verdict => {
  const { samples } = state.evidence;
  // Those of new instances are in the samples twice: in their place, and as new ones there.
  const seen = state.settings.strata.reduce((sum, stratum) => sum + (samples[nameOf(stratum)]?.issued ?? 0), 0);
  const better = isUnchanged(state) ? betterBaselineOf(state.baseline, state.settings.baselinePct) : undefined;
  return {
    state: "healthy",
    regions: [],
    at: state.at,
    streams: readingsOf(state),
    reason: `failure rates of ${need.excludePct} % and more are excluded with ${need.confidencePct} % in every region and operation, on ${seen} outcomes since the last change${better === undefined ? "" : `; before the first change ${better}`}`,
    ...contradicted(state),
  };
};

/** What was measured says about the stated baseline: that it does not hold, or that a better one would. */
export const baselineAdvice = ({ baseline, settings }: JudgeState): string | undefined =>
  contradictionOf(baseline, settings.baselinePct) ?? betterBaselineOf(baseline, settings.baselinePct);

const isUnchanged = ({ change, backAt }: Pick<JudgeState, "change" | "backAt">): boolean =>
  change.kind === "none" && backAt === -Infinity;

const contradicted = (
  state: Pick<JudgeState, "change" | "backAt" | "baseline" | "settings">,
): Pick<Verdict, "contradicts"> => {
  const contradicts = isUnchanged(state) ? contradictionOf(state.baseline, state.settings.baselinePct) : undefined;
  return contradicts === undefined ? {} : { contradicts };
};

/** Whether something other than new instances fails right now: what fails elsewhere at the same time is not held against an instance that is being proved. */
export const isTroubledNow = (state: JudgeState): boolean => {
  if (state.latch?.kind === "disturbed") return true;
  const others = tally(countsBetween(state.window, state.at - JUST_NOW_MS).filter((count) => !isNew(count)));
  return others.failed >= 3 && shareOf(others) >= 0.1;
};
const JUST_NOW_MS = 1_500;

/** Streams since the last mark, with what is held against them. */
export const readingsOf = (state: JudgeState): readonly StreamReading[] =>
  [...state.readings.values()].map((reading) => ({ ...reading, state: stateOfReading(state.latch, reading) }));

const stateOfReading = (latch: Latch | undefined, reading: StreamReading): StreamReading["state"] => {
  if (reading.issued === 0) return "unknown";
  if (latch === undefined) return "healthy";
  if (latch.kind === "unproved") return "unknown";
  const isAmong = latch.regions.length === 0 || latch.regions.includes(reading.region);
  return isAmong && shareOf(reading) >= 0.02 ? latch.kind : "healthy";
};

const verdictOf = ({ verdict, latch, at, ...state }: JudgeState): Verdict => {
  const [wanted, regions, reason] =
    latch === undefined
      ? (["healthy", [], HEALTHY] as const)
      : ([latch.kind === "unproved" ? "unknown" : latch.kind, latch.regions, latch.reason] as const);
  const isNews = latch?.kind === "unproved" && latch.isBlind === true && reason !== verdict.reason;
  if (!isNews && wanted === verdict.state && regions.join() === verdict.regions.join()) return verdict;
  const streams = readingsOf({ verdict, latch, at, ...state });
  return { state: wanted, reason, regions, at, streams, ...contradicted(state) };
};

const HEALTHY = "operations succeed in every region";
