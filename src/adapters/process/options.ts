import type { ProcessComponent, ProcessRelease } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";

/** What the process driver of one component is built from. */
export type ProcessOptions = {
  readonly component: string;
  readonly config: ProcessComponent;
  /** Environment of the instances, secrets filled in. */
  readonly env: Readonly<Record<string, string>>;
  /** By name, such as `gateway@2.0`. */
  readonly releases: Readonly<Record<string, ProcessRelease>>;
  /** Folder for records, fences and logs. Whoever uses the same folder sees the same instances. */
  readonly stateDir: string;
  readonly clock: Clock;
};
