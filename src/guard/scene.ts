import { shareOf, tally, type Count, type Tally } from "./count.ts";
import { explain } from "./explain.ts";
import type { JudgeState } from "./judge-state.ts";
import { countsBetween, onsetOf } from "./window.ts";

export const isNew = ({ side }: Count): boolean => side === "new";
export const isOld = ({ side }: Count): boolean => side === "old";

/** Counts of these since their failures began, without regions whose servers are gone. */
export const since = (state: JudgeState, matches: (count: Count) => boolean): readonly Count[] => {
  const onset = onsetOf(state.window, judgedSide(state)) ?? state.at - RECENT_MS;
  const latest = countsBetween(state.window, onset);
  // Evidence that came drop by drop is told from all that is remembered since the change.
  const changedAt = state.change.kind === "none" ? 0 : Math.min(state.change.at, onset);
  const all = tally(latest.filter(judgedSide(state))).failed < FEW ? countsBetween(state.window, changedAt) : latest;
  return all.filter((count) => matches(count) && !state.lost.some(({ region }) => region === count.region));
};

const FEW = 4;
const RECENT_MS = 1_000;

// Both sides are told from when the judged one began to fail.
const judgedSide = (state: JudgeState): ((count: Count) => boolean) => {
  const hasNew = state.change.kind === "instances" && onsetOf(state.window, isNew) !== undefined;
  return hasNew ? isNew : (): boolean => true;
};

/** `metadata orders-db`, `new instances of prices`. */
export const changeText = ({ what, component }: { readonly what?: string; readonly component: string }): string =>
  what ?? `metadata ${component}`;

export const sentence = (
  state: JudgeState,
  judged: (count: Count) => boolean,
  control: (count: Count) => boolean,
): string => {
  const { change } = state;
  const when = change.kind === "metadata" ? `after ${changeText(change)}` : "";
  return explain({ judged: since(state, judged), control: since(state, control), when });
};

/** The old side fails too: by evidence of its own, or nearly as often as the new one. */
export const isTroubled = (state: JudgeState, fresh: Tally, old: Tally): boolean => {
  const evidence = state.families.old.evidence.both;
  return (
    evidence >= Math.cbrt(state.settings.promised.alarm) || (old.failed >= 3 && shareOf(old) >= shareOf(fresh) / 4)
  );
};

// The death of a server, and the failover that follows, disturb the other regions too for a moment.
export const isExplainedByLoss = (state: JudgeState): boolean => {
  const onset = onsetOf(state.window, () => true) ?? state.at;
  return Math.abs(onset - state.lossAt) <= 5_000 || state.at - state.lossAt <= 5_000;
};
