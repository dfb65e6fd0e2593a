import type { EnvironmentComponent } from "./model.ts";

/** Instances of a component in each region; undefined where it has none, as a store. */
export function instancesOf(placed: EnvironmentComponent | undefined): number | undefined {
  switch (placed?.driver) {
    case "process":
    case "kubernetes":
      return placed.instances;
    case "command":
      return 1;
    case "postgres":
    case undefined:
      return undefined;
  }
}
