import type { MigrateStep, Plan, PlanStep } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import { stepName, stepsOf, type PlanRule } from "./rule.ts";

/** What the old release needs is taken away only when nothing runs it any more, and after a soak that showed the new one to be well. */
export const contractAfterSoak: PlanRule = (plan) =>
  stepsOf(plan, "migrate")
    .filter(({ step }) => step.phase === "contract")
    .flatMap(({ step, index }) => {
      const early = tooEarly(plan, step, index);
      return early.length > 0 ? early : unsoaked(plan, step, index);
    });

const complaint = (index: number, message: string, hint: string): Complaint => ({
  code: "CONTRACT_TOO_EARLY",
  message,
  path: ["steps", index, "phase"],
  hint,
});

function tooEarly(plan: Plan, contract: MigrateStep, index: number): readonly Complaint[] {
  return plan.steps.flatMap((step, other) => {
    if (other <= index || !concerns(plan, contract.component, step)) return [];
    const why =
      step.kind === "migrate"
        ? `its expand is ${stepName(other)}`
        : `${"component" in step ? step.component : ""}, which needs ${contract.component}, is changed by ${stepName(other)} (${step.kind})`;
    return [
      complaint(
        index,
        `${contract.component} is contracted in ${stepName(index)}, but ${why}`,
        `move the contract behind ${stepName(other)}`,
      ),
    ];
  });
}

/** Steps that decide who reads the store: its expand, and whatever changes the release of a component that needs it. */
function concerns(plan: Plan, store: string, step: PlanStep): boolean {
  if (step.kind === "migrate") return step.component === store && step.phase === "expand";
  return (
    (step.kind === "roll" || step.kind === "shift") && (plan.components[step.component]?.needs.includes(store) ?? false)
  );
}

function unsoaked(plan: Plan, contract: MigrateStep, index: number): readonly Complaint[] {
  const last = plan.steps.findLastIndex((step, other) => other < index && concerns(plan, contract.component, step));
  const before = plan.steps[last];
  if (before === undefined) return [];
  if (before.kind === "shift" && before.toPct < 100)
    return [
      complaint(
        index,
        `${stepName(last)} leaves ${100 - before.toPct}% of the users of ${before.component} with the old release, which needs what is taken away`,
        "shift all users first",
      ),
    ];
  if (soaksAtItsEnd(before) || plan.steps.slice(last + 1, index).some((step) => step.kind === "soak")) return [];
  return [
    complaint(
      index,
      `nothing soaks between ${stepName(last)} (${before.kind}) and this contract`,
      "add a step `soak`, or a `soak` to the last wave",
    ),
  ];
}

const soaksAtItsEnd = (step: PlanStep): boolean =>
  (step.kind === "roll" && (step.waves.at(-1)?.soakMs ?? 0) > 0) || (step.kind === "shift" && step.soakMs > 0);
