import { stepName, stepsOf, type PlanRule } from "./rule.ts";

/** A new release that needs a store comes after the store's expand: it reads what the expand adds. */
export const expandBeforeRoll: PlanRule = (plan) => {
  const expands = stepsOf(plan, "migrate").filter(({ step }) => step.phase === "expand");
  return stepsOf(plan, "roll").flatMap(({ step, index }) =>
    (plan.components[step.component]?.needs ?? []).flatMap((need) => {
      const own = expands.filter((expand) => expand.step.component === need);
      const late = own.find((expand) => expand.index > index);
      if (late === undefined || own.some((expand) => expand.index < index)) return [];
      return [
        {
          code: "EXPAND_TOO_LATE",
          message: `${step.component} needs ${need}, which is expanded only in ${stepName(late.index)}`,
          path: ["steps", index, "roll"],
          hint: `move the expand of ${need} before this roll`,
        },
      ];
    }),
  );
};
