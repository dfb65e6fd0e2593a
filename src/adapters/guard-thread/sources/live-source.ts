import type { CountBin } from "../../../guard/count.ts";
import type { Reach } from "../../../guard/loss.ts";
import type { Sight } from "../../../guard/sight.ts";
import type { UnlistedCode } from "../../../guard/unlisted.ts";
import type { Operation } from "../../../plan/model.ts";
import type { WatchedInstance } from "../../../ports/watcher.ts";

/**
 * Where users' own operations are counted. It tells what was counted in bins that follow one another, each operation once, and no later than it knows.
 * What it cannot see it says (`Sight` with a reason, or an instance that is out of reach): a source that tells nothing is never health.
 * It never throws: whatever comes from outside ends in a bin or in a reason.
 */
export type LiveSource = {
  /** Replaces the set of instances, by which it is told whose operations these are. */
  instances(instances: readonly WatchedInstance[]): void;
  /** One failure in what the instance counts is no user's: it is left out of a bin to come. */
  forgive(instance: string, operation: Operation, code: string): void;
  /** Ends all that it has started. Nothing is told any more. */
  stop(): Promise<void>;
};

/** What a source tells. */
export type LiveSink = {
  readonly onBin: (bin: CountBin) => void;
  readonly onReach: (reach: Reach) => void;
  readonly onSight: (sight: Sight) => void;
  /** Counted codes that no rule names. */
  readonly onUnlisted: (seen: Pick<UnlistedCode, "rules" | "code" | "outcome">, times: number) => void;
};

/** What every source is built with. */
export type SourceClock = {
  /** Wall clock of this thread that never jumps, ms. */
  readonly now: () => number;
  /** Longest stall of this thread since a monotonic time: a missed deadline is no news then. */
  readonly lagSince: (from: number) => number;
};
