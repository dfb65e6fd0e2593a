import type { Complaint, Path } from "../source/source.ts";
import { repeated, type PlanRule } from "./rule.ts";

/** Lists of names name each thing once. */
export const noRepetition: PlanRule = (plan) => [
  ...Object.entries(plan.components).flatMap(([name, { needs }]) => complain(needs, ["components", name, "needs"])),
  ...plan.steps.flatMap((step, index) => {
    if (step.kind === "approve") return complain(step.in, ["steps", index, "approve", "in"]);
    if (step.kind === "shift")
      return step.regions === "rest" ? [] : complain(step.regions, ["steps", index, "regions"]);
    if (step.kind !== "roll") return [];
    return step.waves.flatMap((wave, at) =>
      wave.regions === "rest" ? [] : complain(wave.regions, ["steps", index, "waves", at, "regions"]),
    );
  }),
  ...complain(plan.guard.operations, ["guard", "operations"]),
];

const complain = (items: readonly string[], path: Path): readonly Complaint[] =>
  repeated(items).map(({ item, index }) => ({
    code: "NAME_REPEATED",
    message: `"${item}" is named twice`,
    path: [...path, index],
    hint: "delete one of the two",
  }));
