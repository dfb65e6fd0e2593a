import type { MetadataState, WorkloadState } from "../graph/observation.ts";
import type { DarkReading } from "./dark.ts";
import type { WalkOrder } from "./drills-of.ts";

/** What stands in demo: by place, and by store. */
export type Standing = {
  readonly workloads: Readonly<Record<string, WorkloadState>>;
  readonly metadata: Readonly<Record<string, MetadataState>>;
};

/** How a run of a drill ended. */
export type DrillRun = {
  readonly run: string;
  readonly outcome: string;
  readonly text: string;
  /** Moves that were done, with how long each took, ms. */
  readonly moves: readonly { readonly move: string; readonly ms: number }[];
  /** The moves before which the guard showed health, newer than the last change; `end` for the end of the plan. */
  readonly evidence: readonly { readonly move: string; readonly reason: string }[];
  /** What new instances did in the dark; empty where they were not watched. */
  readonly dark: readonly DarkReading[];
  /** The moves after which servers died, and it held while they were gone. */
  readonly heldAfter: readonly string[];
  /** Whether every strike of the order came to pass. A drill whose fault never struck proves nothing. */
  readonly hasStruck: boolean;
  readonly ms: number;
};

/** The demo environment as a rehearsal plays on it. */
export interface Stage {
  /** Rejects what the ports reject. */
  look(signal: AbortSignal): Promise<Standing>;
  /** Runs the plan by the real conductor, with what the order does to it on the way. */
  play(order: WalkOrder, signal: AbortSignal): Promise<DrillRun>;
  /** Takes back metadata that an undo kept because it serves the old release: the next drill starts where this one did. */
  clear(before: Standing, signal: AbortSignal): Promise<void>;
}
