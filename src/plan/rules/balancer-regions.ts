import { suggest } from "../nearest.ts";
import type { EnvironmentRule } from "./rule.ts";

/** A balancer stands in a region of the environment. */
export const balancerRegions: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, component]) => {
    if (component.driver !== "process") return [];
    const regions = Object.keys(component.balancer);
    if (regions.length === 0)
      return [
        {
          code: "REGION_UNKNOWN",
          message: `${name} has no balancer in any region`,
          path: ["components", name, "balancer"],
          hint: "name each region and its balancer's admin address",
        },
      ];
    return regions
      .filter((region) => !Object.hasOwn(environment.regions, region))
      .map((region) => ({
        code: "REGION_UNKNOWN",
        message: `the environment has no region "${region}"`,
        path: ["components", name, "balancer", region],
        at: "key" as const,
        hint: suggest(region, Object.keys(environment.regions)) ?? "add it under `regions`",
      }));
  });
