import { stepsOf, type PlanRule } from "./rule.ts";

/** Past a point of no return only a backup plan is left. */
export const irreversibleHasBackup: PlanRule = (plan) =>
  stepsOf(plan, "migrate").flatMap(({ step, index }) =>
    step.irreversible && step.backup === undefined
      ? [
          {
            code: "IRREVERSIBLE_UNBACKED",
            message: `nothing is taken back after this ${step.phase} of ${step.component}, and no backup plan is named`,
            path: ["steps", index, "irreversible"],
            hint: "add `backup`: the name of a backup plan under `backups`",
          },
        ]
      : [],
  );
