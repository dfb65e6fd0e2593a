import type { Plan } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import { stepName, stepsOf, type PlanRule } from "./rule.ts";

/** A phase is migrated once, and an instance is rolled once: a second time would have nothing to start from. */
export const stepsOnce: PlanRule = (plan) => [...migratedTwice(plan), ...rolledTwice(plan)];

function migratedTwice(plan: Plan): readonly Complaint[] {
  const first = new Map<string, number>();
  return stepsOf(plan, "migrate").flatMap(({ step, index }) => {
    const what = `${step.phase} of ${step.component}`;
    const before = first.get(what);
    if (before === undefined) first.set(what, index);
    return before === undefined
      ? []
      : [
          {
            code: "STEP_TWICE",
            message: `the ${what} is ${stepName(before)} already, which applies all its migrations`,
            path: ["steps", index, "migrate"],
            hint: "delete one of the two steps",
          },
        ];
  });
}

function rolledTwice(plan: Plan): readonly Complaint[] {
  const regions = new Map<string, { readonly index: number; readonly named: Set<string>; hasRest: boolean }>();
  return stepsOf(plan, "roll").flatMap(({ step, index }) => {
    const before = regions.get(step.component);
    const named = step.waves.flatMap((wave) => (wave.regions === "rest" ? [] : wave.regions));
    const hasRest = step.waves.some((wave) => wave.regions === "rest");
    if (before === undefined) {
      regions.set(step.component, { index, named: new Set(named), hasRest });
      return [];
    }
    const again = before.hasRest || hasRest ? "rest" : named.find((region) => before.named.has(region));
    for (const region of named) before.named.add(region);
    before.hasRest ||= hasRest;
    if (again === undefined) return [];
    const what = again === "rest" ? "`rest` in one of them takes in the regions of the other" : `both name ${again}`;
    return [
      {
        code: "STEP_TWICE",
        message: `${step.component} is rolled in ${stepName(before.index)} already: ${what}`,
        path: ["steps", index, "roll"],
        hint: "name each region in one of them, or make them waves of one step",
      },
    ];
  });
}
