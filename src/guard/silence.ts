import type { JudgeState } from "./judge-state.ts";
import { unprove } from "./latch.ts";
import { freshEvidence, missingEvidence, nameOf, RECOVERY, type Stratum } from "./strata.ts";

/** No outcome for this long is no data, and unreadable counters for that long are none either. */
const SILENT_MS = 1_000;
const UNREADABLE_MS = 2_000;
/** An instance that is being replaced may be gone for a moment before the run says so. */
const GONE_MS = 5_000;

export const noteSilence = (state: JudgeState): JudgeState => {
  const why = silenceOf(state);
  if (why === undefined) return state;
  const silent = { ...state, evidence: freshEvidence(state.at) };
  const open = state.latch === undefined ? unprove(silent, why.reason, why.regions) : silent;
  // Stryker disable next-line OptionalChaining: by now there is one
  return open.latch?.kind === "unproved" ? { ...open, latch: { ...open.latch, ...why } } : open;
};

type Silence = { readonly reason: string; readonly regions: readonly string[]; readonly isBlind: boolean };

const silenceOf = (state: JudgeState): Silence | undefined =>
  blindness(state) ?? silentStrata(state) ?? unreadableCounters(state);

/** A live source that sees nothing says so itself, and has waited before it did. */
const blindness = ({ blind }: JudgeState): Silence | undefined => {
  const all = Object.values(blind);
  return all[0] === undefined
    ? undefined
    : {
        reason: `what users see is not known: ${all[0].why}`,
        regions: [...new Set(all.flatMap(({ regions }) => regions))],
        isBlind: true,
      };
};

const silentStrata = (state: JudgeState): Silence | undefined => {
  const lastOf = (stratum: Stratum): number => state.lastOutcome[nameOf(stratum)] ?? state.startedAt;
  const silent = state.settings.strata.filter(
    (stratum) => state.at - lastOf(stratum) > (state.settings.silentAfterMs[stratum.region] ?? SILENT_MS),
  );
  const [first] = silent;
  if (first === undefined) return undefined;
  const told = state.silence[nameOf(first)];
  const reason = told !== undefined && state.at - told.at < 2 * SILENT_MS ? `: ${told.why}` : "";
  return {
    reason: `no outcome of ${nameOf(first)} for ${((state.at - lastOf(first)) / 1000).toFixed(1)} s${reason}`,
    regions: [...new Set(silent.map(({ region }) => region))],
    isBlind: false,
  };
};

const unreadableCounters = (state: JudgeState): Silence | undefined => {
  const bad = state.instances.filter(({ inTraffic }) => inTraffic).flatMap((instance) => unreadable(state, instance));
  return bad[0] === undefined
    ? undefined
    : { reason: bad[0].reason, regions: [...new Set(bad.map(({ region }) => region))], isBlind: false };
};

const unreadable = (
  state: JudgeState,
  { id, region }: { readonly id: string; readonly region: string },
): readonly { readonly reason: string; readonly region: string }[] => {
  const [rubbish, gone] = [state.contact.unreadable[id], state.contact.goneSince[id]];
  if (rubbish !== undefined && state.at - rubbish.since > UNREADABLE_MS)
    return [{ region, reason: `the counters of ${id} in ${region} cannot be read: ${rubbish.why}` }];
  return state.at - (gone ?? state.at) > GONE_MS
    ? [{ region, reason: `the counters of ${id} in ${region} are out of reach` }]
    : [];
};

/** Back to healthy only on fresh positive evidence. */
export const noteRecovery = (state: JudgeState): JudgeState => {
  const { latch, settings, instances } = state;
  if (
    latch === undefined ||
    latch.kind === "suspect" ||
    latch.kind === "failing" ||
    state.lost.length > 0 ||
    silenceOf(state) !== undefined
  )
    return state;
  const { strata, baselinePct, probed } = settings;
  const missing = missingEvidence(state.evidence, strata, instances, { need: RECOVERY, baselinePct, probed });
  return missing === undefined ? { ...state, latch: undefined, clearing: undefined } : state;
};
