import { shareAmong, shareEvidence, SHARES, sharesOf, type ShareName } from "./comparison.ts";
import { shareOf, type Count } from "./count.ts";
import { isAlarm } from "./detector/promise.ts";
import { listed } from "./explain.ts";
import type { JudgeState } from "./judge-state.ts";
import { fail } from "./latch.ts";
import { pct } from "./percent.ts";
import { changeText, isExplainedByLoss, isNew } from "./scene.ts";
import { isBeyondUsual, limitsOf, unusualEvidence } from "./usual.ts";
import { countsBetween } from "./window.ts";

/** Operations are answered, but more slowly, with more refusals, or for orders that nobody knows any more: new against old, or after against before. */
export const noteShares = (state: JudgeState): JudgeState => {
  if (state.latch?.kind === "failing" || state.lost.length > 0 || isExplainedByLoss(state)) return state;
  switch (state.change.kind) {
    // Stryker disable next-line ConditionalExpression: without a change nothing was counted since it
    case "none":
      return state;
    case "metadata":
      return afterMetadata(state, state.change);
    case "instances":
      return onNewSide(state, state.change);
  }
};

type Changed = Exclude<JudgeState["change"], { readonly kind: "none" }>;

const onNewSide = (state: JudgeState, change: Changed): JudgeState => {
  const name = SHARES.find((share) => isWorse(state, change, share));
  if (name === undefined) return state;
  const counts = countsSince(state, change, name);
  const [fresh, old] = sharesOf(name, counts);
  const { regions, where } = placeOf(name, counts.filter(isNew));
  const [here, there] = [releasesOf(counts, "new"), releasesOf(counts, "old")];
  return fail(
    state,
    regions,
    `${where}: ${fresh.failed} of ${fresh.issued} ${WORDS[name]} on ${here}, ${old.failed} of ${old.issued} on ${there}`,
  );
};

// What was told long ago is no reason to act on what holds now, nor may it hide what another share tells.
const isWorse = (state: JudgeState, change: Changed, name: ShareName): boolean => {
  if (!isAlarm(shareEvidence(state.comparison, name), state.settings.promised)) return false;
  const [fresh, old] = sharesOf(name, countsSince(state, change, name));
  // One user whose picture of the market is stale is refused again and again, always by the same instance: signs of many bins, and one cause.
  return shareOf(fresh) > shareOf(old) && isBeyondUsual(state.usual, name, shareOf(fresh));
};

const afterMetadata = (state: JudgeState, change: Changed): JudgeState => {
  const name = SHARES.find((share) => isUnusual(state, change, share));
  if (name === undefined) return state;
  const counts = countsSince(state, change, name);
  const now = shareAmong(name, counts);
  const { usual } = limitsOf(state.usual, name);
  const { regions, where } = placeOf(name, counts);
  return fail(
    state,
    regions,
    `${where}: ${now.failed} of ${now.issued} ${WORDS[name]} after ${changeText(change)}; ${pct(usual)} is the most that was usual before it`,
  );
};

const isUnusual = (state: JudgeState, change: Changed, name: ShareName): boolean =>
  isAlarm(unusualEvidence(state.usual, name), state.settings.promised) &&
  shareOf(shareAmong(name, countsSince(state, change, name))) > limitsOf(state.usual, name).limit;

const countsSince = (state: JudgeState, change: Changed, name: ShareName): readonly Count[] =>
  countsBetween(state.window, change.at).filter((count) => count[name] !== undefined);

const placeOf = (name: ShareName, counts: readonly Count[]) => {
  const hit = counts.filter((count) => (count[name] ?? 0) > 0);
  const regions = unique(hit.map(({ region }) => region));
  return { regions, where: `${listed(unique(hit.map(({ operation }) => operation)))} in ${listed(regions)}` };
};

const WORDS: Readonly<Record<ShareName, string>> = {
  slow: "were slower than the plan allows",
  refused: "were refused",
  lost: "were refused because the order is not known",
};

const releasesOf = (counts: readonly Count[], side: Count["side"]): string =>
  listed(unique(counts.filter((count) => count.side === side).map(({ release }) => release)));

const unique = <Name extends string>(names: readonly Name[]): readonly Name[] => [...new Set(names)].toSorted();
