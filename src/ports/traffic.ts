import type { Fence } from "./fence.ts";
import type { Weighing } from "../graph/observation.ts";

export type { Weighing } from "../graph/observation.ts";

/** Chooses which instances of one component users reach. */
export interface Traffic {
  /**
   * Resolves once the balancer serves by these weights. Digests that are not named keep theirs. Repeatable.
   * Where an instance cannot be hidden, one that shall take nothing any more is taken away instead: the next look shows it gone, and what
   * it leaves behind is filled up by the release that serves.
   * Where the target brings instances itself, one that is admitted and not there is brought, and takes traffic as soon as it is ready; resolves then.
   * One that is there and not admitted is taken away.
   * Also rejects there: `INSTANCE_NOT_READY`.
   * Where instances are replaced in place, to be admitted is to take the place of one of the other release: all other places are that release's.
   * Rejects: `BALANCER_UNREACHABLE`, `FENCED`.
   */
  weigh(region: string, weighing: Weighing, fence: Fence, signal: AbortSignal): Promise<void>;
}
