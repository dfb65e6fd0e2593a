import { suggest } from "../nearest.ts";
import { inPlan } from "./rule.ts";

/** Every component of the plan is somewhere in the environment. */
export const componentsPlaced = inPlan((plan, environment) =>
  Object.keys(plan.components)
    .filter((name) => !Object.hasOwn(environment.components, name))
    .map((name) => ({
      code: "COMPONENT_UNPLACED",
      message: `${environment.file} does not say where ${name} is`,
      path: ["components", name],
      at: "key" as const,
      hint: suggest(name, Object.keys(environment.components)) ?? `add components.${name} to ${environment.file}`,
    })),
);
