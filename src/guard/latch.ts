import type { JudgeState } from "./judge-state.ts";
import { freshEvidence } from "./strata.ts";

/** Everywhere that something is wrong. While servers are gone, they are the reason. */
export const disturb = (state: JudgeState, regions: readonly string[], reason: string): JudgeState => {
  const lost = state.lost.map(({ region }) => region);
  const told =
    state.latch?.kind === "disturbed" && lost.length > 0 && state.lossAt <= state.latch.since
      ? state.latch.reason
      : reason;
  return {
    ...state,
    latch: {
      kind: "disturbed",
      since: state.at,
      regions: [...new Set([...lost, ...regions])].toSorted(),
      reason: told,
    },
    evidence: freshEvidence(state.at),
  };
};

export const fail = (state: JudgeState, regions: readonly string[], reason: string): JudgeState => ({
  ...state,
  latch: { kind: "failing", since: state.at, regions, reason },
});

export const unprove = (state: JudgeState, reason: string, regions: readonly string[] = []): JudgeState => {
  const { clearing: _clearing, ...rest } = state;
  return {
    ...rest,
    clearing: undefined,
    latch: { kind: "unproved", since: state.at, reason, regions },
  };
};
