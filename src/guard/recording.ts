import type { PlanGuard } from "../plan/model.ts";
import { judge, settingsOf, startJudging, type JudgedRegion, type JudgeInput, type JudgeState } from "./judge.ts";
import type { Verdict } from "./verdict.ts";

/** The first line of a recording: what was judged, and by which settings. Each further line is one input of the judge. */
export type RecordingHead = {
  readonly kind: "recording";
  readonly midflight: 1;
  /** When judging began, ms since the epoch. */
  readonly at: number;
  readonly guard: PlanGuard;
  readonly regions: readonly JudgedRegion[];
  readonly hasCounters: boolean;
};

/** Begins to judge what was recorded, by its own settings or by others. */
export const startRejudging = (head: RecordingHead, guard: PlanGuard = head.guard): JudgeState =>
  startJudging(settingsOf(guard, head.regions, head.hasCounters), head.at);

/** One input further: the state, and the verdict where it changed. */
export function rejudge(
  state: JudgeState,
  input: JudgeInput,
): { readonly state: JudgeState; readonly changed?: Verdict } {
  const { state: next, verdict } = judge(state, input);
  return verdict === state.verdict ? { state: next } : { state: next, changed: verdict };
}
