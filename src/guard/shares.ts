import { shareEvidence, SHARES, sharesOf, type ShareName } from "./comparison.ts";
import { shareOf, type Count } from "./count.ts";
import { isAlarm } from "./detector/promise.ts";
import { listed } from "./explain.ts";
import type { JudgeState } from "./judge-state.ts";
import { fail } from "./latch.ts";
import { isExplainedByLoss, isNew } from "./scene.ts";
import { countsBetween } from "./window.ts";

/** The new side answers, but more slowly, refuses more often, or no longer knows orders that the old one would. */
export const noteShares = (state: JudgeState): JudgeState => {
  const { change, latch, comparison, settings } = state;
  if (change.kind !== "instances" || latch?.kind === "failing") return state;
  if (state.lost.length > 0 || isExplainedByLoss(state)) return state;
  const name = SHARES.find((share) => isAlarm(shareEvidence(comparison, share), settings.promised));
  if (name === undefined) return state;
  const counts = countsBetween(state.window, change.at).filter((count) => count[name] !== undefined);
  const [fresh, old] = sharesOf(name, counts);
  // What was told long ago is no reason to act on what holds now.
  if (shareOf(fresh) <= shareOf(old)) return state;
  const hit = counts.filter((count) => isNew(count) && (count[name] ?? 0) > 0);
  const regions = unique(hit.map(({ region }) => region));
  const told = `${unique(hit.map(({ operation }) => operation)).join(", ")} in ${listed(regions)}`;
  const here = `${fresh.failed} of ${fresh.issued} ${WORDS[name]} on ${listed(releasesOf(counts, "new"))}`;
  return fail(
    state,
    regions,
    `${told}: ${here}, ${old.failed} of ${old.issued} on ${listed(releasesOf(counts, "old"))}`,
  );
};

const WORDS: Readonly<Record<ShareName, string>> = {
  slow: "were slower than the plan allows",
  refused: "were refused",
  lost: "were refused because the order is not known",
};

const releasesOf = (counts: readonly Count[], side: Count["side"]): readonly string[] =>
  unique(counts.filter((count) => count.side === side).map(({ release }) => release));

const unique = <Name extends string>(names: readonly Name[]): readonly Name[] => [...new Set(names)].toSorted();
