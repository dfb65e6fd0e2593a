import type { Complaint } from "../source/source.ts";
import type { PlanRule } from "./rule.ts";

type Visit = { readonly name: string; next: number };

/** Nothing needs itself, over however many others. Each circle is told once, where it closes. */
export const needsCycle: PlanRule = (plan) => {
  const needsOf = (name: string): readonly string[] => plan.components[name]?.needs ?? [];
  const done = new Set<string>();
  const found: Complaint[] = [];
  for (const start of Object.keys(plan.components)) {
    // Not by recursion: a chain may be as long as the file.
    const way: Visit[] = [{ name: start, next: 0 }];
    const onWay = new Set([start]);
    for (let here = way.at(-1); here !== undefined && !done.has(start); here = way.at(-1)) {
      const index = here.next;
      here.next += 1;
      const need = needsOf(here.name)[index];
      if (need === undefined) {
        done.add(here.name);
        onWay.delete(here.name);
        way.pop();
      } else if (onWay.has(need)) {
        found.push(
          circle(
            here.name,
            index,
            way.slice(way.findIndex((visit) => visit.name === need)).map((visit) => visit.name),
          ),
        );
      } else if (!done.has(need)) {
        way.push({ name: need, next: 0 });
        onWay.add(need);
      }
    }
  }
  return found;
};

const circle = (name: string, index: number, names: readonly string[]): Complaint => ({
  code: "NEEDS_CYCLE",
  message:
    names.length === 1
      ? `${name} needs itself`
      : `components need each other in a circle: ${[...names.slice(0, 10), ...(names.length > 10 ? ["…"] : []), names[0]].join(" → ")}`,
  path: ["components", name, "needs", index],
  hint: "take out the need that is not there while both releases run",
});
