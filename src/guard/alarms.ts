import { suspectComparison } from "./comparison.ts";
import { shareOf, tally, type Count, type Source } from "./count.ts";
import { isAlarm, type Promised } from "./detector/promise.ts";
import { regionsOf } from "./explain.ts";
import { resetFamily } from "./family.ts";
import type { FamilyName, JudgeState } from "./judge-state.ts";
import { disturb, fail } from "./latch.ts";
import { goneRegions } from "./loss.ts";
import { shardOf } from "./protocol.ts";
import { isExplainedByLoss, isNew, isOld, isTroubled, sentence, since } from "./scene.ts";
import { freshEvidence } from "./strata.ts";
import { countsBetween, onsetOf } from "./window.ts";

const FAMILIES: readonly FamilyName[] = ["new", "old", "all"];
/** How long an alarm may wait for a look at who is still there, ms. */
const LOOK_MS = 500;

export const noteAlarms = (state: JudgeState): JudgeState => {
  const crossing = FAMILIES.map((name) => ({ name, evidence: state.families[name].evidence })).filter(
    ({ name, evidence }) => isAlarm(evidence.both, promisedFor(state, name)),
  );
  if (crossing.length === 0 && state.pending === undefined) return state;
  const crossed = [...new Set([...(state.pending?.crossed ?? []), ...crossing.map(({ name }) => name)])];
  const families = { ...state.families };
  for (const { name } of crossing) families[name] = resetFamily(state.families[name]);
  const judged = state.change.kind === "instances" && crossed.includes("new") ? "new" : "all";
  const seen = crossing
    .filter(({ name }) => name === judged)
    .flatMap(({ evidence }) => SOURCES.filter((source) => evidence[source] >= evidence.both / 5));
  const sources = [...new Set([...(state.pending?.sources ?? []), ...seen])];
  const { pending, ...rest } = state;
  const raised: JudgeState = {
    ...rest,
    families,
    comparison: crossing.some(({ name }) => name === "new")
      ? suspectComparison(state.comparison, state.at, state.settings.promised)
      : state.comparison,
  };
  const from = pending?.since ?? state.at;
  return mustLook(raised, from)
    ? { ...raised, pending: { since: from, crossed, sources } }
    : raise(raised, crossed, sources);
};

// Who is suspected already is watched from nothing for seconds only: a lower level is as seldom reached by luck, and undoes nothing without the signs.
const promisedFor = ({ latch, settings: { promised } }: JudgeState, name: FamilyName): Promised =>
  name === "new" && latch?.kind === "suspect" ? { ...promised, alarm: promised.alarm / AGAIN } : promised;
const AGAIN = 100;

const SOURCES: readonly Source[] = ["probes", "live"];
// Stryker disable next-line ArrowFunction: no answer is a no
const nothing = (): boolean => false;
const everyone = (): boolean => true;

// A server that dies takes the whole region along. That is told from a bad release by looking at who still answers, so the look must be newer than the failures.
const mustLook = (state: JudgeState, from: number): boolean => {
  if (!state.settings.hasCounters || state.instances.length === 0 || state.at - from >= LOOK_MS) return false;
  const onset = onsetOf(state.window, everyone) ?? from;
  const isUnclear = goneRegions(state.contact, state.instances).some(
    ({ region }) => !state.lost.some((loss) => loss.region === region),
  );
  return isUnclear || state.contact.at < onset;
};

const raise = (state: JudgeState, crossed: readonly FamilyName[], sources: readonly Source[]): JudgeState => {
  if (state.latch?.kind === "failing") return state;
  switch (state.change.kind) {
    case "none":
      return crossed.includes("all")
        ? disturb(state, regionsOf(since(state, everyone)), sentence(state, everyone, nothing))
        : state;
    case "metadata":
      return crossed.includes("all") ? afterMetadata(state, state.change.at) : state;
    case "instances":
      return crossed.includes("new") ? onNewSide(state, sources) : onOldSide(state, crossed);
  }
};

/** Nothing old is left to compare with but the time before. */
const afterMetadata = (state: JudgeState, changedAt: number): JudgeState => {
  const regions = regionsOf(since(state, everyone));
  if (isExplainedByLoss(state))
    return disturb(state, regions, `${sentence(state, everyone, nothing)}, while servers are gone`);
  if (wasSoBefore(state, changedAt))
    return disturb(state, regions, `${sentence(state, everyone, nothing)}, as before it`);
  return fail(state, regions, sentence(state, everyone, nothing));
};

/** Whether the users that fail now failed already before the change. Others may have had their own bad luck then. */
const wasSoBefore = (state: JudgeState, changedAt: number): boolean => {
  const groupOf = ({ cohort, region }: Count): string => `${shardOf(cohort)} ${region}`;
  const onset = onsetOf(state.window, everyone) ?? state.at;
  const after = countsBetween(state.window, Math.max(onset, changedAt));
  const shares = [...Map.groupBy(after, groupOf)].map(([group, counts]) => ({ group, share: shareOf(tally(counts)) }));
  const worst = Math.max(...shares.map(({ share }) => share));
  const hit = new Set(shares.filter(({ share }) => share >= worst / 2).map(({ group }) => group));
  const isHit = (count: Count): boolean => hit.has(groupOf(count));
  // What was under way at the change may have met it.
  const ended = countsBetween(state.window, onset, changedAt - state.settings.deadlineMs);
  const [now, before] = [tally(after.filter(isHit)), tally(ended.filter(isHit))];
  return before.failed >= 3 && shareOf(before) >= shareOf(now) / 2;
};

const onNewSide = (state: JudgeState, sources: readonly Source[]): JudgeState => {
  const fresh = since(state, isNew);
  const regions = regionsOf(fresh);
  if (isExplainedByLoss(state))
    return disturb(state, regions, `${sentence(state, isNew, isOld)}, while servers are gone`);
  const old = since(state, isOld);
  if (old.length === 0)
    return fail(state, regions, `${sentence(state, isNew, isOld)}, and no old instance is left to compare with`);
  if (isTroubled(state, tally(fresh), tally(old)))
    return disturb(
      state,
      regionsOf([...fresh, ...old]),
      `${sentence(state, isNew, isOld)}: the old release is in trouble too`,
    );
  if (state.latch?.kind === "suspect") return { ...state, latch: { ...state.latch, isRepeated: true } };
  return {
    ...state,
    latch: { kind: "suspect", since: state.at, regions, reason: sentence(state, isNew, isOld), sources },
    clearing: { probes: freshEvidence(state.at), live: freshEvidence(state.at) },
  };
};

/** The old release is in trouble, or nobody can tell whose operations fail. */
const onOldSide = (state: JudgeState, crossed: readonly FamilyName[]): JudgeState => {
  const unknown = since(state, ({ side }) => side === "unknown");
  const nobody = tally(unknown).failed * 2 >= tally(since(state, everyone)).failed && tally(unknown).failed > 0;
  if (!crossed.includes("old") && !nobody) return state;
  const matches = (count: Count): boolean => count.side !== "new";
  return disturb(state, regionsOf(since(state, matches)), `${sentence(state, matches, nothing)}: not the new release`);
};
