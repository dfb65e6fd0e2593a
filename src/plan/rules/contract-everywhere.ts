import type { Environment, Plan } from "../model.ts";
import { inPlan, stepName, stepsOf } from "./rule.ts";
import { regionsOf } from "./wave-regions.ts";

/** A contract waits until the old release is gone from every region, not only from those that the plan rolled. */
export const contractEverywhere = inPlan((plan, environment) =>
  stepsOf(plan, "migrate")
    .filter(({ step }) => step.phase === "contract")
    .flatMap(({ step, index }) =>
      Object.keys(plan.components)
        .filter((name) => plan.components[name]?.needs.includes(step.component))
        .flatMap((name) => {
          const left = leftBehind(plan, environment, name, index);
          if (left.length === 0) return [];
          return [
            {
              code: "CONTRACT_TOO_EARLY",
              message: `${left.join(", ")} would still run the old release of ${name} in ${stepName(index)}, and it needs what is taken away`,
              path: ["steps", index, "phase"],
              hint: "roll it in every region first, or contract in a later plan",
            },
          ];
        }),
    ),
);

/** Regions that rolls before a step leave out. None when the plan does not roll the component: it may run the new release already. */
function leftBehind(plan: Plan, environment: Environment, component: string, before: number): readonly string[] {
  const waves = stepsOf(plan, "roll")
    .filter(({ step, index }) => step.component === component && index < before)
    .flatMap(({ step }) => step.waves);
  if (waves.length === 0 || waves.some((wave) => wave.regions === "rest")) return [];
  const rolled = new Set(waves.flatMap((wave) => (wave.regions === "rest" ? [] : wave.regions)));
  return (regionsOf(environment, component) ?? []).filter((region) => !rolled.has(region));
}
