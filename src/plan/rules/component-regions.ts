import type { EnvironmentComponent } from "../model.ts";
import { suggest } from "../nearest.ts";
import { regionsNamed } from "../regions-of.ts";
import type { EnvironmentRule } from "./rule.ts";

/** A component stands in regions of the environment, and in one at least. */
export const componentRegions: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, component]) => {
    const regions = regionsNamed(component);
    if (regions === undefined) return [];
    const { key, what, hint } = wordsFor(component);
    if (regions.length === 0)
      return [
        {
          code: "REGION_UNKNOWN",
          message: `${name} has no ${what} in any region`,
          path: ["components", name, key],
          hint,
        },
      ];
    return regions
      .filter((region) => !Object.hasOwn(environment.regions, region))
      .map((region) => ({
        code: "REGION_UNKNOWN",
        message: `the environment has no region "${region}"`,
        path: ["components", name, key, region],
        at: "key" as const,
        hint: suggest(region, Object.keys(environment.regions)) ?? "add it under `regions`",
      }));
  });

const wordsFor = ({ driver }: EnvironmentComponent) =>
  driver === "kubernetes"
    ? { key: "contexts", what: "context", hint: "name each region and its context in the kubeconfig" }
    : { key: "balancer", what: "balancer", hint: "name each region and its balancer's admin address" };
