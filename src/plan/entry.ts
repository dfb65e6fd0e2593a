import type { EnvironmentComponent, InstanceCounters } from "./model.ts";

/** Whether users' operations enter through a component, so that its instances have outcomes of their own. */
export function isEntry(placed: EnvironmentComponent): boolean {
  switch (placed.driver) {
    case "process":
    case "kubernetes":
      return placed.isEntry;
    case "postgres":
    case "command":
      return false;
  }
}

/** Where the instances of a component count users' operations; undefined where nobody does. */
export function countersOf(placed: EnvironmentComponent): InstanceCounters | undefined {
  switch (placed.driver) {
    case "process":
    case "kubernetes":
      return placed.counters;
    case "postgres":
    case "command":
      return undefined;
  }
}
