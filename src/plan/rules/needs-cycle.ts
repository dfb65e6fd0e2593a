import type { Plan } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import type { PlanRule } from "./rule.ts";

/** Nothing needs itself, over however many others. Each circle is told once, where it closes. */
export const needsCycle: PlanRule = (plan) => {
  const done = new Set<string>();
  return Object.keys(plan.components).flatMap((name) => follow(plan, name, [], done));
};

function follow(plan: Plan, name: string, trail: readonly string[], done: Set<string>): readonly Complaint[] {
  if (done.has(name)) return [];
  const way = [...trail, name];
  const needs = plan.components[name]?.needs ?? [];
  const found = needs.flatMap((need, index) => {
    const at = way.indexOf(need);
    if (at === -1) return follow(plan, need, way, done);
    const circle = [...way.slice(at), need].join(" → ");
    return [{ code: "NEEDS_CYCLE", message: need === name ? `${name} needs itself` : `components need each other in a circle: ${circle}`, path: ["components", name, "needs", index], hint: "take out the need that is not there while both releases run" }];
  });
  done.add(name);
  return found;
}
