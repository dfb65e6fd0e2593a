import type { PlanRule } from "./rule.ts";

/** A component is either something that runs a release or a store that has migrations. */
export const componentKind: PlanRule = (plan) =>
  Object.entries(plan.components).flatMap(([name, { release, migrations }]) => {
    if ((release === undefined) !== (migrations === undefined)) return [];
    const path = release === undefined ? ["components", name] : ["components", name, "migrations"];
    const what = release === undefined ? "neither a release nor migrations" : "both a release and migrations";
    return [
      {
        code: "COMPONENT_KIND",
        message: `${name} has ${what}`,
        path,
        at: "key" as const,
        hint: "give a metadata store `migrations`, and everything else a `release`",
      },
    ];
  });
