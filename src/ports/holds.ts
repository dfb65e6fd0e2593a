import type { Fence } from "./fence.ts";

/** What a run left of itself at a component in one region: plain data for whoever is asked whether it shall go. */
export type Hold = {
  readonly region: string;
  /** The held object, with where it is. */
  readonly place: string;
  /** What stands there now; undefined where nothing is held and only the rest was left. */
  readonly stands?: string;
  /** A line for each field that would be put back: what it is, and what it would be. */
  readonly changes: readonly string[];
  /** Names of instances in the dark that would be removed. */
  readonly dark: readonly string[];
  /** Names of instances of the release that goes, which do not serve and which the target would wait for: they are removed too. */
  readonly stuck: readonly string[];
  /** Names of instances of the release that goes, which the target leaves as they are until somebody removes them. */
  readonly staying: readonly string[];
  /** Managers that would go on, with the runs that they wait for. */
  readonly waiting: readonly string[];
  /** The highest fence that ever wrote there. */
  readonly fence: Fence;
  /** The record that was read, as it stands there. */
  readonly record?: string;
  /** The one at that by which users enter, where one was left there. */
  readonly entryRecord?: string;
};

/** Which of the two releases stays: `old` takes everything back, `new` lets the target itself go on with the new one, without a guard. */
export type Keeping = "old" | "new";

/** Frees what a run that died left held. */
export interface Holds {
  /** Undefined when nothing was left. Changes nothing. Rejects `WORKLOAD_UNREACHABLE`. */
  look(region: string, keeping: Keeping, signal: AbortSignal): Promise<Hold | undefined>;
  /**
   * Puts back what the look told, in one write, and removes the rest; the target then brings the instances there by its own rules.
   * Rejects: `FENCED`, `FOREIGN_CHANGE` (the record was written since the look), `WORKLOAD_UNREACHABLE`.
   */
  release(hold: Hold, keeping: Keeping, fence: Fence, signal: AbortSignal): Promise<void>;
}
