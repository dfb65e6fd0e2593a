import { foldComparison, freshComparison, stepComparison } from "./comparison.ts";
import { foldFamily, freshFamily, mergedSums, stepFamily, sumsOf, type Family, type Sums } from "./family.ts";
import { issuedFrom, type Count, type CountBin, type CountSide, type Source } from "./count.ts";
import { STEPS_PAID } from "./detector/promise.ts";
import type { JudgeInput, JudgeState, MarkCause } from "./judge-state.ts";
import { foldProbeContact, foldReach } from "./loss.ts";
import { foldSight } from "./sight.ts";
import { foldBaseline } from "./stated.ts";
import { foldEvidence, freshEvidence, nameOf } from "./strata.ts";
import { foldUsual, holdAgainstUsual, measureUsual } from "./usual.ts";
import type { StreamReading } from "./verdict.ts";
import { addToWindow } from "./window.ts";

/** Takes an input into the state, without judging. */
export const gather = (state: JudgeState, input: JudgeInput): JudgeState => {
  switch (input.kind) {
    case "tick":
      return state;
    case "bin":
      return gatherBin(state, input);
    case "mark":
      return gatherMark(state, input.cause);
    case "instances":
      return gatherInstances(state, input.instances);
    case "reach":
      return { ...state, contact: foldReach(state.contact, input) };
    case "sight":
      return { ...state, blind: foldSight(state.blind, input) };
    case "silent":
      return { ...state, silence: { ...state.silence, [nameOf(input)]: { at: input.at, why: input.why } } };
  }
};

const gatherInstances = (before: JudgeState, instances: JudgeState["instances"]): JudgeState => {
  const met = new Set(instances.flatMap(({ id }) => (before.met.has(id) ? [id] : [])));
  const state = { ...before, instances, met };
  return instances.some(({ side }) => side === "new") ? state : withoutNew(state);
};

// What was held against instances that are gone must not meet the next ones.
const withoutNew = (state: JudgeState): JudgeState => ({
  ...state,
  families: { ...state.families, new: freshFamily },
  comparison: freshComparison,
});

const gatherBin = (state: JudgeState, bin: CountBin): JudgeState => {
  const { baselinePct } = state.settings;
  return {
    ...state,
    families: foldFamilies(state, bin),
    window: addToWindow(state.window, bin),
    comparison: comparisonOf(state, bin),
    usual: usualOf(state, bin),
    baseline: baselineOf(state, bin),
    evidence: foldEvidence(state.evidence, bin, state.latch === undefined ? undefined : { baselinePct }),
    clearing: state.clearing === undefined ? undefined : clearingOf(state.clearing, bin, baselinePct),
    contact: foldProbeContact(state.contact, bin),
    met: bin.met === undefined ? state.met : new Set([...state.met, ...bin.met]),
    lastOutcome: lastOutcomesOf(state, bin),
    readings: readingsOf(state.readings, bin),
    spent: spentOf(state, bin.counts),
  };
};

// A region whose servers died says nothing about a release.
const foldFamilies = (state: JudgeState, bin: CountBin): JudgeState["families"] => {
  if (issuedFrom(bin) < state.backAt) return state.families;
  const counts = bin.counts.filter(({ region }) => !state.lost.some((loss) => loss.region === region));
  const sumsOn = (side: CountSide): Sums => sumsOf(counts.filter((count) => count.side === side));
  const [fresh, old] = [sumsOn("new"), sumsOn("old")];
  const fold = (family: Family, sums: Sums): Family => foldFamily(family, bin, sums, state.settings.p0);
  return {
    new: fold(state.families.new, fresh),
    old: fold(state.families.old, old),
    all: fold(state.families.all, mergedSums([fresh, old, sumsOn("unknown")])),
  };
};

const gatherMark = (state: JudgeState, cause: MarkCause): JudgeState => {
  const marked: JudgeState = { ...state, evidence: freshEvidence(state.at), readings: new Map() };
  if (cause.kind === "start") return marked;
  if (cause.kind === "back") return backTo(marked);
  const steps = [...state.steps.filter((at) => at > state.at - MONTH_MS), state.at];
  const mass = steps.length > STEPS_PAID ? 0 : state.settings.promised.stepMass;
  const [name, regions] = cause.kind === "instances" ? (["new", cause.regions] as const) : (["all", []] as const);
  // Behind those that users meet there is no side of its own to look at, as with metadata.
  const kind = cause.kind === "instances" ? "instances" : "metadata";
  return {
    ...marked,
    steps,
    change: {
      kind,
      at: state.at,
      component: cause.component,
      regions,
      ...(cause.kind === "behind" ? { what: cause.what } : {}),
    },
    families: { ...state.families, [name]: stepFamily(state.families[name], state.at, mass) },
    spent: { fresh: 0, all: 0 },
    comparison: comparisonAfter(state, cause, mass),
    usual: kind === "metadata" ? holdAgainstUsual(state.usual, mass) : measureUsual(state.usual),
    ...(state.latch?.kind === "failing" || kind === "metadata" ? { clearing: undefined } : {}),
    latch: latchAfter(state, cause),
  };
};

// An alarm from before, also one whose outcomes are still on their way, would stand for ever: nothing is left that could be undone.
const backTo = ({ pending: _pending, ...state }: JudgeState): JudgeState => {
  const told = state.latch === undefined ? "" : ` (before it: ${state.latch.reason})`;
  return {
    ...state,
    change: { kind: "none" },
    backAt: state.at,
    families: { new: freshFamily, old: freshFamily, all: freshFamily },
    spent: { fresh: 0, all: 0 },
    comparison: freshComparison,
    usual: measureUsual(state.usual),
    clearing: undefined,
    latch:
      state.latch?.kind === "disturbed"
        ? state.latch
        : {
            kind: "unproved",
            since: state.at,
            regions: [],
            reason: `no evidence of health yet since everything was taken back${told}`,
          },
  };
};

// Withdrawing or undoing must not clear a suspicion by itself; a trip is over once something was done about it, and health must be shown anew.
const latchAfter = (state: JudgeState, cause: MarkCause): JudgeState["latch"] => {
  const { latch } = state;
  if (latch?.kind === "failing" || (latch?.kind === "suspect" && cause.kind !== "instances"))
    return {
      kind: "unproved",
      since: state.at,
      regions: [],
      reason: `no evidence of health yet since the last change (before it: ${latch.reason})`,
    };
  return latch;
};

const MONTH_MS = 30 * 24 * 3_600_000;

// What happens to a region whose servers died, or happened before everything was taken back, says nothing about a release.
const comparisonOf = (state: JudgeState, bin: CountBin): JudgeState["comparison"] => {
  if (issuedFrom(bin) < state.backAt) return state.comparison;
  const counts = bin.counts.filter(({ region }) => !state.lost.some((loss) => loss.region === region));
  return foldComparison(state.comparison, { ...bin, counts }, state.settings.p0);
};

const usualOf = (state: JudgeState, bin: CountBin): JudgeState["usual"] => {
  if (
    issuedFrom(bin) < Math.max(state.backAt, state.change.kind === "none" ? 0 : state.change.at) ||
    state.lost.length > 0
  )
    return state.usual;
  return foldUsual(state.usual, bin, state.latch === undefined || state.latch.kind === "unproved");
};

// After the first change nobody knows any more what was there before it.
const baselineOf = (state: JudgeState, bin: CountBin): JudgeState["baseline"] =>
  state.change.kind === "none" && state.backAt === -Infinity && state.lost.length === 0
    ? foldBaseline(state.baseline, bin, state.settings.counted)
    : state.baseline;

const comparisonAfter = (
  state: JudgeState,
  cause: Extract<MarkCause, { kind: "metadata" | "behind" | "instances" }>,
  mass: number,
): JudgeState["comparison"] => {
  const known = state.latch?.kind === "failing" || cause.kind !== "instances" ? freshComparison : state.comparison;
  return cause.kind === "instances" ? stepComparison(known, state.at, mass) : known;
};

const clearingOf = (
  clearing: NonNullable<JudgeState["clearing"]>,
  bin: CountBin,
  baselinePct: number,
): NonNullable<JudgeState["clearing"]> => {
  const of = (source: Source): readonly Count[] =>
    bin.counts.filter((count) => count.source === source && count.side === "new");
  // Probes go on at instances that are withdrawn: that is how a suspicion of theirs clears.
  const probed = of("probes").map((count) => ({ ...count, isExposed: true }));
  return {
    probes: foldEvidence(clearing.probes, { ...bin, counts: probed }, { baselinePct }),
    live: foldEvidence(clearing.live, { ...bin, counts: of("live") }, { baselinePct }),
  };
};

const lastOutcomesOf = (state: JudgeState, bin: CountBin): JudgeState["lastOutcome"] => {
  const seen = new Set<string>();
  for (const count of bin.counts)
    if (count.issued > 0 && (count.source === "probes" || !state.settings.probed.includes(count.region)))
      seen.add(nameOf(count));
  if (seen.size === 0) return state.lastOutcome;
  const latest = { ...state.lastOutcome };
  for (const name of seen) latest[name] = bin.at;
  return latest;
};

const readingsOf = (
  readings: ReadonlyMap<string, StreamReading>,
  bin: CountBin,
): ReadonlyMap<string, StreamReading> => {
  if (bin.counts.length === 0) return readings;
  const next = new Map(readings);
  for (const { operation, region, release, source, issued, failed } of bin.counts) {
    const key = `${source} ${operation} ${region} ${release}`;
    const known = next.get(key);
    const sums = { issued: (known?.issued ?? 0) + issued, failed: (known?.failed ?? 0) + failed };
    next.set(key, { operation, region, release, source, ...sums, state: "healthy" });
  }
  return next;
};

// Probes pass the same counters, where the source counts them: what they lost there is no user's loss.
const spentOf = ({ spent, settings }: JudgeState, counts: readonly Count[]): JudgeState["spent"] => {
  let { fresh, all } = spent;
  for (const { source, side, region, failed, unreached = 0 } of counts) {
    if (source === "probes" && settings.uncounted.includes(region)) continue;
    const users = source === "live" ? failed : unreached - failed;
    all += users;
    if (side === "new") fresh += users;
  }
  return { fresh, all };
};
