import { stepsOf, type PlanRule } from "./rule.ts";

/** Health itself fails as often as the baseline says, so no number of clean probes excludes a rate at or below it. */
export const proofPossible: PlanRule = (plan) =>
  stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const { baselineAtMostPct } = plan.guard;
    if (step.dark === undefined || step.dark.excludePct > baselineAtMostPct) return [];
    return [
      {
        code: "PROOF_IMPOSSIBLE",
        message: `a failure rate of ${step.dark.excludePct}% cannot be excluded while the baseline calls ${baselineAtMostPct}% health`,
        path: ["steps", index, "dark", "exclude"],
        hint: "exclude a rate well above guard.baseline.atMost",
      },
    ];
  });
