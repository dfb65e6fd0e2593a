import type { PlanRule } from "./rule.ts";

/** Stores are migrated; what runs a release is rolled and shifted. */
export const stepFitsComponent: PlanRule = (plan) =>
  plan.steps.flatMap((step, index) => {
    if (step.kind !== "migrate" && step.kind !== "roll" && step.kind !== "shift") return [];
    const component = plan.components[step.component];
    if (component === undefined) return [];
    const lacks = step.kind === "migrate" ? component.migrations === undefined : component.release === undefined;
    if (!lacks) return [];
    const wants = step.kind === "migrate" ? "migrations" : "a release";
    return [
      {
        code: "STEP_DOES_NOT_FIT",
        message: `${step.kind} needs ${wants}, and ${step.component} has none`,
        path: ["steps", index, step.kind],
        hint: `give components.${step.component} ${wants}, or name another component`,
      },
    ];
  });
