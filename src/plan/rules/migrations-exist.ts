import { problemAt } from "../source/source.ts";
import { stepsOf, type TogetherRule } from "./rule.ts";

/** A step migrates something. */
export const migrationsExist: TogetherRule = ({ plan, migrations }) => {
  if (migrations === undefined) return [];
  return stepsOf(plan.value, "migrate").flatMap(({ step, index }) => {
    const own = migrations[step.component];
    if (own === undefined || own.some((migration) => migration.phase === step.phase)) return [];
    const folder = plan.value.components[step.component]?.migrations ?? "its folder";
    const there = `no migration of phase ${step.phase} was found in ${folder}`;
    return [
      problemAt(plan.source, {
        code: "MIGRATION_NONE",
        message: there,
        path: ["steps", index, "phase"],
        hint: own.length === 0 ? "check the folder" : "write one, or delete the step",
      }),
    ];
  });
};
