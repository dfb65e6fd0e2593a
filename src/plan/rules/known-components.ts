import { suggest } from "../nearest.ts";
import type { Complaint, Path } from "../source/source.ts";
import type { PlanRule } from "./rule.ts";

/** Every component that is spoken of is one of the plan's. */
export const knownComponents: PlanRule = (plan) => {
  const known = Object.keys(plan.components);
  const complain = (name: string, path: Path): readonly Complaint[] => {
    if (Object.hasOwn(plan.components, name)) return [];
    const hint = suggest(name, known);
    return [
      {
        code: "COMPONENT_UNKNOWN",
        message: `the plan has no component "${name}"`,
        path,
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  };
  const needs = Object.entries(plan.components).flatMap(([name, component]) =>
    component.needs.flatMap((need, index) => complain(need, ["components", name, "needs", index])),
  );
  const steps = plan.steps.flatMap((step, index) =>
    "component" in step ? complain(step.component, ["steps", index, step.kind]) : [],
  );
  const backups = Object.entries(plan.backups).flatMap(([name, actions]) =>
    actions.flatMap((action, index) =>
      action.kind === "verify" ? complain(action.component, ["backups", name, index, "verify"]) : [],
    ),
  );
  return [...needs, ...steps, ...backups];
};
