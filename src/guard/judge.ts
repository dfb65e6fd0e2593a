import { shareOf, tally, type Count, type Source, type Tally } from "./count.ts";
import { explain, listed, regionsOf } from "./explain.ts";
import { familyEvidence, resetFamily } from "./family.ts";
import { gather } from "./gather.ts";
import type { HealthNeed } from "./health.ts";
import type { FamilyName, JudgeInput, JudgeState, Latch } from "./judge-state.ts";
import { goneRegions, isLost } from "./loss.ts";
import { freshSignTest, signEvidence } from "./sign.ts";
import { freshEvidence, missingEvidence, nameOf, RECOVERY } from "./strata.ts";
import type { StreamReading, Verdict } from "./verdict.ts";
import { countsBetween, onsetOf } from "./window.ts";

export { settingsOf, startJudging } from "./judge-state.ts";
export type { JudgeInput, JudgeSettings, JudgeState } from "./judge-state.ts";

/** What was said, and why: the same object as before while state and regions stay. */
export type Judgement = { readonly state: JudgeState; readonly verdict: Verdict };

/** Folds one input into the state and says what holds now. Total and pure; inputs come in the order of `at`. */
export const judge = (state: JudgeState, input: JudgeInput): Judgement => {
  const at = Math.max(state.at, input.at);
  const stages = [noteLosses, noteAlarms, noteSigns, noteBudget, noteDeadline, noteSilence, noteRecovery];
  const judged = stages.reduce((soFar, stage) => stage(soFar), gather({ ...state, at }, input));
  const verdict = verdictOf(judged);
  return { state: { ...judged, verdict }, verdict };
};

/** What is missing until the state shows that failure rates of `excludePct` and more are excluded; undefined: it shows it. */
export const evidenceMissing = (state: JudgeState, need: HealthNeed): string | undefined => {
  if (state.latch !== undefined) return state.latch.reason;
  const { strata, baselinePct, probed } = state.settings;
  return missingEvidence(state.evidence, strata, state.instances, { need, baselinePct, needsProbes: probed.length > 0 });
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
  return isAmong && reading.failed > 0 && shareOf(reading) >= 0.02 ? latch.kind : "healthy";
};

const verdictOf = ({ verdict, latch, at, ...state }: JudgeState): Verdict => {
  const [wanted, regions, reason] = latch === undefined ? (["healthy", [], HEALTHY] as const) : ([latch.kind === "unproved" ? "unknown" : latch.kind, latch.regions, latch.reason] as const);
  if (wanted === verdict.state && regions.join() === verdict.regions.join()) return verdict;
  return { state: wanted, reason, regions, at, streams: readingsOf({ verdict, latch, at, ...state }) };
};

const HEALTHY = "order operations succeed in every region";

/** Regions whose servers died: everything there fails, and no release is to blame. */
const noteLosses = (state: JudgeState): JudgeState => {
  const hasProbes = (region: string): boolean => state.settings.probed.includes(region);
  const gone = goneRegions(state.contact, state.instances);
  const lost = gone.filter((region) => isLost(state.contact, region, hasProbes(region.region)));
  const fresh = lost.filter(({ region }) => !state.lost.some((known) => known.region === region));
  const known = { ...state, lost: lost.map(({ region, since }) => ({ region, since })) };
  if (fresh.length === 0) return known;
  const families = { new: resetFamily(state.families.new), old: resetFamily(state.families.old), all: resetFamily(state.families.all) };
  const lossAt = Math.max(...fresh.map(({ since }) => since));
  const { pending: _, ...rest } = known;
  const noted: JudgeState = { ...rest, families, lossAt };
  // The new release was suspected before, for reasons of its own, elsewhere: that stays.
  const stays = state.latch?.kind === "failing" || (state.latch?.kind === "suspect" && state.latch.since < lossAt - 1_000);
  const counts = fresh.reduce((sum, { count }) => sum + count, 0);
  return stays ? noted : disturb(noted, lost.map(({ region }) => region).toSorted(), `${listed(lost.map(({ region }) => region))}: ${allOf(counts)} out of reach, and every probe fails: the servers are gone, not the release`);
};

const allOf = (count: number): string => (count === 1 ? "the only instance is" : `all ${count} instances are`);

const FAMILIES: readonly FamilyName[] = ["new", "old", "all"];
/** How long an alarm may wait for a look at who is still there, ms. */
const LOOK_MS = 500;

const noteAlarms = (state: JudgeState): JudgeState => {
  const crossing = FAMILIES.map((name) => ({ name, evidence: familyEvidence(state.families[name]) })).filter(
    // Written so that NaN raises the alarm instead of sleeping.
    ({ evidence }) => !(evidence.both < state.settings.alarm),
  );
  if (crossing.length === 0 && state.pending === undefined) return state;
  const crossed = [...new Set([...(state.pending?.crossed ?? []), ...crossing.map(({ name }) => name)])];
  const families = { ...state.families };
  for (const { name } of crossing) families[name] = resetFamily(state.families[name]);
  const judged = state.change.kind === "instances" && crossed.includes("new") ? "new" : "all";
  const seen = crossing.filter(({ name }) => name === judged).flatMap(({ evidence }) => SOURCES.filter((source) => evidence[source] >= evidence.both / 5));
  const sources = [...new Set([...(state.pending?.sources ?? []), ...seen])];
  const { pending, ...rest } = state;
  const raised: JudgeState = { ...rest, families, signs: state.signs ?? { probes: freshSignTest, live: freshSignTest } };
  const since = pending?.since ?? state.at;
  return mustLook(raised, since) ? { ...raised, pending: { since, crossed, sources } } : raise(raised, crossed, sources);
};

const SOURCES: readonly Source[] = ["probes", "live"];

// A server that dies takes the whole region along. That is told from a bad release by looking at who still answers, so the look must be newer than the failures.
const mustLook = (state: JudgeState, since: number): boolean => {
  if (!state.settings.hasCounters || state.instances.length === 0 || state.at - since >= LOOK_MS) return false;
  const onset = onsetOf(state.window, () => true) ?? since;
  const isUnclear = goneRegions(state.contact, state.instances).some(({ region }) => !state.lost.some((loss) => loss.region === region));
  return isUnclear || state.contact.at < onset;
};

const raise = (state: JudgeState, crossed: readonly FamilyName[], sources: readonly Source[]): JudgeState => {
  if (state.latch?.kind === "failing") return state;
  switch (state.change.kind) {
    case "none":
      return crossed.includes("all") ? disturb(state, regionsOf(since(state, () => true)), sentence(state, () => true, () => false)) : state;
    case "metadata":
      return crossed.includes("all") ? afterMetadata(state) : state;
    case "instances":
      return crossed.includes("new") ? onNewSide(state, sources) : onOldSide(state, crossed);
  }
};

/** Nothing old is left to compare with but the time before. */
const afterMetadata = (state: JudgeState): JudgeState => {
  const everyone = (): boolean => true;
  const [now, before] = [tally(since(state, everyone)), tally(beforeChange(state))];
  const regions = regionsOf(since(state, everyone));
  if (isExplainedByLoss(state)) return disturb(state, regions, `${sentence(state, everyone, () => false)}, while servers are gone`);
  if (before.failed >= 3 && shareOf(before) >= shareOf(now) / 2) return disturb(state, regions, `${sentence(state, everyone, () => false)}, as before it`);
  return fail(state, regions, sentence(state, everyone, () => false));
};

const onNewSide = (state: JudgeState, sources: readonly Source[]): JudgeState => {
  const fresh = since(state, isNew);
  const regions = regionsOf(fresh);
  if (isExplainedByLoss(state)) return disturb(state, regions, `${sentence(state, isNew, isOld)}, while servers are gone`);
  const old = since(state, isOld);
  if (old.length === 0) return fail(state, regions, `${sentence(state, isNew, isOld)}, and no old instance is left to compare with`);
  if (isTroubled(state, tally(fresh), tally(old))) return disturb(state, regionsOf([...fresh, ...old]), `${sentence(state, isNew, isOld)}: the old release is in trouble too`);
  // The alarm came twice, each time from nothing, and the old side, better watched, is quiet.
  if (state.latch?.kind === "suspect") return tally(old).issued >= tally(fresh).issued ? fail(state, regions, sentence(state, isNew, isOld)) : state;
  return {
    ...state,
    latch: { kind: "suspect", since: state.at, regions, reason: sentence(state, isNew, isOld), sources },
    clearing: { probes: freshEvidence(state.at), live: freshEvidence(state.at) },
  };
};

/** The old release is in trouble, or nobody can tell whose operations fail. */
const onOldSide = (state: JudgeState, crossed: readonly FamilyName[]): JudgeState => {
  const unknown = since(state, ({ side }) => side === "unknown");
  const nobody = tally(unknown).failed * 2 >= tally(since(state, () => true)).failed && tally(unknown).failed > 0;
  if (!crossed.includes("old") && !nobody) return state;
  const matches = (count: Count): boolean => count.side !== "new";
  return disturb(state, regionsOf(since(state, matches)), `${sentence(state, matches, () => false)}: not the new release`);
};

/** ½ % of doubt: with an alarm that comes once in the promised time, that is rare enough to undo on. */
const SIGN_LEVEL = 500;

/** New worse than old, bin by bin. */
const noteSigns = (state: JudgeState): JudgeState => {
  const { signs, latch } = state;
  if (signs === undefined || state.change.kind !== "instances" || (latch?.kind !== "suspect" && latch?.kind !== "disturbed")) return state;
  if (isExplainedByLoss(state) || state.lost.length > 0) return state;
  const evidence = (signEvidence(signs.probes) + signEvidence(signs.live)) / 2;
  if (evidence < SIGN_LEVEL || onsetOf(state.window, isNew) === undefined) return state;
  return fail(state, regionsOf(since(state, isNew)), sentence(state, isNew, isOld));
};

const noteBudget = (state: JudgeState): JudgeState => {
  const { change, spent, settings, latch } = state;
  if (change.kind === "none" || latch?.kind === "failing" || state.lost.length > 0) return state;
  const [used, isJudged] = change.kind === "instances" ? ([spent.fresh, isNew] as const) : ([spent.all, (): boolean => true] as const);
  if (used <= settings.budget) return state;
  const [fresh, old] = [tally(since(state, isJudged)), tally(since(state, isOld))];
  if (change.kind === "instances" && shareOf(old) * 2 > shareOf(fresh)) return state;
  return fail(state, regionsOf(since(state, isJudged)), `${used} user operations failed since ${change.component} was changed, more than the ${settings.budget} allowed: ${sentence(state, isJudged, isOld)}`);
};

/** A suspicion clears by evidence from whoever raised it, or becomes a certainty. */
const noteDeadline = (state: JudgeState): JudgeState => {
  const { latch, clearing, settings } = state;
  if (latch?.kind !== "suspect") return state;
  if (!state.instances.some(({ side }) => side === "new")) return unprove(state, "no new instance is left; no evidence of health yet");
  if (clearing !== undefined && isCleared(state, latch, clearing)) return unprove(state, "the suspicion has cleared; no evidence of health yet");
  if (state.at - latch.since < settings.suspectForMs) return state;
  const [fresh, old] = [tally(since(state, isNew)), tally(since(state, isOld))];
  if (isTroubled(state, fresh, old)) return disturb(state, latch.regions, `${latch.reason}: the old release is in trouble too`);
  return fail(state, latch.regions, `${latch.reason}; it has not cleared within ${settings.suspectForMs / 1000} s`);
};

const isCleared = (state: JudgeState, latch: Extract<Latch, { kind: "suspect" }>, clearing: NonNullable<JudgeState["clearing"]>): boolean => {
  const { strata, baselinePct } = state.settings;
  const affected = strata.filter(({ region }) => latch.regions.includes(region));
  return latch.sources.length > 0 && latch.sources.every((source) => missingEvidence(clearing[source], affected, [], { need: RECOVERY, baselinePct, needsProbes: false }) === undefined);
};

/** No outcome for this long is no data, and unreadable counters for that long are none either. */
const SILENT_MS = 1_000;
const UNREADABLE_MS = 2_000;

const noteSilence = (state: JudgeState): JudgeState => {
  const why = silenceOf(state);
  if (why === undefined) return state;
  const silent = { ...state, evidence: freshEvidence(state.at) };
  if (state.latch === undefined) return unprove(silent, why.reason, why.regions);
  return state.latch.kind === "unproved" ? { ...silent, latch: { ...state.latch, ...why } } : silent;
};

const silenceOf = (state: JudgeState): { readonly reason: string; readonly regions: readonly string[] } | undefined => {
  const silent = state.settings.strata.filter((stratum) => state.at - (state.lastOutcome[nameOf(stratum)] ?? state.startedAt) > SILENT_MS);
  const [first] = silent;
  if (first !== undefined) {
    const told = state.silence[nameOf(first)];
    const reason = told !== undefined && state.at - told.at < 2 * SILENT_MS ? `: ${told.why}` : "";
    return { reason: `no outcome of ${nameOf(first)} for ${((state.at - (state.lastOutcome[nameOf(first)] ?? state.startedAt)) / 1000).toFixed(1)} s${reason}`, regions: [...new Set(silent.map(({ region }) => region))] };
  }
  const bad = state.instances.filter(({ inTraffic }) => inTraffic).flatMap((instance) => unreadable(state, instance));
  return bad[0] === undefined ? undefined : { reason: bad[0].reason, regions: [...new Set(bad.map(({ region }) => region))] };
};

const unreadable = (state: JudgeState, { id, region }: { readonly id: string; readonly region: string }): readonly { readonly reason: string; readonly region: string }[] => {
  const [rubbish, gone] = [state.contact.unreadable[id], state.contact.goneSince[id]];
  if (rubbish !== undefined && state.at - rubbish.since > UNREADABLE_MS) return [{ region, reason: `the counters of ${id} in ${region} cannot be read: ${rubbish.why}` }];
  return gone !== undefined && state.at - gone > UNREADABLE_MS ? [{ region, reason: `the counters of ${id} in ${region} are out of reach` }] : [];
};

/** Back to healthy only on fresh positive evidence. */
const noteRecovery = (state: JudgeState): JudgeState => {
  const { latch, settings, instances } = state;
  if (latch === undefined || latch.kind === "suspect" || latch.kind === "failing" || state.lost.length > 0 || silenceOf(state) !== undefined) return state;
  const { strata, baselinePct, probed } = settings;
  const missing = missingEvidence(state.evidence, strata, instances, { need: RECOVERY, baselinePct, needsProbes: probed.length > 0 });
  return missing === undefined ? { ...state, latch: undefined, signs: undefined, clearing: undefined } : state;
};

const isNew = ({ side }: Count): boolean => side === "new";
const isOld = ({ side }: Count): boolean => side === "old";

/** Counts of these since their failures began, without regions whose servers are gone. */
const since = (state: JudgeState, matches: (count: Count) => boolean): readonly Count[] => {
  const onset = onsetOf(state.window, judgedSide(state)) ?? state.at - SILENT_MS;
  const latest = countsBetween(state.window, onset);
  // Evidence that came drop by drop is told from all that is remembered.
  const all = tally(latest.filter(judgedSide(state))).failed < FEW ? countsBetween(state.window, 0) : latest;
  return all.filter((count) => matches(count) && !state.lost.some(({ region }) => region === count.region));
};

const FEW = 4;

// Both sides are told from when the judged one began to fail.
const judgedSide = (state: JudgeState): ((count: Count) => boolean) => {
  const hasNew = state.change.kind === "instances" && onsetOf(state.window, isNew) !== undefined;
  return hasNew ? isNew : (): boolean => true;
};

/** Counts of the failures that go on now, as far as they were issued before the change. */
const beforeChange = (state: JudgeState): readonly Count[] =>
  state.change.kind === "none" ? [] : countsBetween(state.window, onsetOf(state.window, () => true) ?? state.at, state.change.at);

const sentence = (state: JudgeState, judged: (count: Count) => boolean, control: (count: Count) => boolean): string => {
  const { change } = state;
  const when = change.kind === "metadata" ? `after metadata ${change.component}` : "";
  return explain({ judged: since(state, judged), control: since(state, control), when });
};

/** The old side fails too: by evidence of its own, or nearly as often as the new one. */
const isTroubled = (state: JudgeState, fresh: Tally, old: Tally): boolean => {
  const evidence = familyEvidence(state.families.old).both;
  return evidence >= Math.sqrt(state.settings.alarm) || (old.failed >= 3 && shareOf(old) >= shareOf(fresh) / 4);
};

// The death of a server, and the failover that follows, disturb the other regions too for a moment.
const isExplainedByLoss = (state: JudgeState): boolean => {
  const onset = onsetOf(state.window, () => true) ?? state.at;
  return Math.abs(onset - state.lossAt) <= 5_000 || state.at - state.lossAt <= 5_000;
};

/** Everywhere that something is wrong. While servers are gone, they are the reason. */
const disturb = (state: JudgeState, regions: readonly string[], reason: string): JudgeState => {
  const lost = state.lost.map(({ region }) => region);
  const told = state.latch?.kind === "disturbed" && lost.length > 0 && state.lossAt <= state.latch.since ? state.latch.reason : reason;
  return { ...state, latch: { kind: "disturbed", since: state.at, regions: [...new Set([...lost, ...regions])].toSorted(), reason: told }, evidence: freshEvidence(state.at) };
};

const fail = (state: JudgeState, regions: readonly string[], reason: string): JudgeState => ({ ...state, latch: { kind: "failing", since: state.at, regions, reason } });

const unprove = (state: JudgeState, reason: string, regions: readonly string[] = []): JudgeState => {
  const { clearing: _clearing, signs: _signs, ...rest } = state;
  return { ...rest, signs: undefined, clearing: undefined, latch: { kind: "unproved", since: state.at, reason, regions } };
};
