import { suggest } from "../nearest.ts";
import { stepsOf, type PlanRule } from "./rule.ts";

/** A backup plan that a step names is there. */
export const knownBackups: PlanRule = (plan) =>
  stepsOf(plan, "migrate").flatMap(({ step, index }) => {
    if (step.backup === undefined || Object.hasOwn(plan.backups, step.backup)) return [];
    const hint = suggest(step.backup, Object.keys(plan.backups)) ?? "write it under `backups`";
    return [
      {
        code: "BACKUP_UNKNOWN",
        message: `the plan has no backup plan "${step.backup}"`,
        path: ["steps", index, "backup"],
        hint,
      },
    ];
  });
