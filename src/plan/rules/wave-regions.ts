import { suggest } from "../nearest.ts";
import type { Environment } from "../model.ts";
import { regionsNamed } from "../regions-of.ts";
import type { Complaint, Path } from "../source/source.ts";
import { inPlan } from "./rule.ts";

/** A region that a step names is one in which its component runs. */
export const waveRegions = inPlan((plan, environment) =>
  plan.steps.flatMap((step, index) => {
    if (step.kind === "shift") return judge(environment, step.component, step.regions, ["steps", index, "regions"]);
    if (step.kind !== "roll") return [];
    return step.waves.flatMap((wave, at) =>
      judge(environment, step.component, wave.regions, ["steps", index, "waves", at, "regions"]),
    );
  }),
);

function judge(
  environment: Environment,
  component: string,
  regions: readonly string[] | "rest",
  path: Path,
): readonly Complaint[] {
  if (regions === "rest") return [];
  const known = regionsOf(environment, component);
  return regions.flatMap((region, item) => {
    if (known === undefined || known.includes(region)) return [];
    const message = Object.hasOwn(environment.regions, region)
      ? `${component} does not run in ${region}`
      : `${environment.name} has no region "${region}"`;
    const hint = suggest(region, known);
    return [{ code: "REGION_UNKNOWN", message, path: [...path, item], ...(hint === undefined ? {} : { hint }) }];
  });
}

/** Regions in which a component runs; undefined where it is not placed at all. */
export function regionsOf(environment: Environment, component: string): readonly string[] | undefined {
  const placed = environment.components[component];
  if (placed === undefined) return undefined;
  return regionsNamed(placed) ?? Object.keys(environment.regions);
}
