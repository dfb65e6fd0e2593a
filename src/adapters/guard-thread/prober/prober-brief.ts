import type { ClassRules, PlanGuard, ProbeTarget } from "../../../plan/model.ts";

/** What a prober is set up with, as data. Secrets are named in it, and read where it runs. */
export type ProberBrief = {
  readonly midflight: 1;
  readonly region: string;
  readonly probe: ProbeTarget;
  readonly guard: PlanGuard;
  /** Of the ids of its orders. */
  readonly prefix: string;
  /** The environment's own class rules, by name. */
  readonly rules: Readonly<Record<string, ClassRules>>;
  readonly otherOrigins: readonly string[];
};
