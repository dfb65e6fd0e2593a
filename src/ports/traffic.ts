import type { Fence } from "./fence.ts";
import type { Weighing } from "../graph/observation.ts";

export type { Weighing } from "../graph/observation.ts";

/** Chooses which instances of one component users reach. */
export interface Traffic {
  /**
   * Resolves once the balancer serves by these weights. Digests that are not named keep theirs. Repeatable.
   * Rejects: `BALANCER_UNREACHABLE`, `FENCED`.
   */
  weigh(region: string, weighing: Weighing, fence: Fence, signal: AbortSignal): Promise<void>;
}
