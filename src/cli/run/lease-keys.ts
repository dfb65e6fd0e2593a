import type { Loaded } from "../files/load.ts";
import { leaseKey } from "../wiring/lease.ts";

/** What a run holds: every component of its plan, in its environment. */
export const leaseKeys = (loaded: Pick<Loaded, "environment" | "plan">): readonly string[] =>
  Object.keys(loaded.plan.components).map((component) => leaseKey(loaded.environment.name, component));
