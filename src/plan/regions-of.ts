import type { Environment, EnvironmentComponent } from "./model.ts";

/** Regions in which a component runs, in the order of the environment file. */
export function regionsOf(environment: Environment, placed: EnvironmentComponent): readonly string[] {
  const named = regionsNamed(placed);
  const all = Object.keys(environment.regions);
  return named === undefined ? all : all.filter((region) => named.includes(region));
}

/** Those that the component itself names; undefined where it runs in all of them. */
export function regionsNamed(placed: EnvironmentComponent): readonly string[] | undefined {
  switch (placed.driver) {
    case "process":
      return Object.keys(placed.balancer);
    case "kubernetes":
      return Object.keys(placed.contexts);
    case "postgres":
    case "command":
      return undefined;
  }
}
