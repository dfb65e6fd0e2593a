import type { Graph } from "../graph/graph.ts";
import type { MetadataState, WorkloadState } from "../graph/observation.ts";
import type { Verdict } from "../guard/verdict.ts";
import type { Clearance } from "./clearance.ts";
import type { Effect } from "./effect.ts";
import type { UndoItem } from "./undo-items.ts";

/** Why a run was turned back, in one sentence. */
export type Cause = {
  readonly kind: "guard" | "move-failed" | "refuted" | "operator";
  readonly text: string;
  readonly at: number;
  /** The move that is held responsible; metadata goes back only if it is one. */
  readonly suspect?: string;
};

/** Where a run is. Every phase that awaits something has it in `Run.pending`. */
export type Phase =
  /** Looks at everything the plan names and records it, before the first touch. */
  | { readonly kind: "preparing" }
  /** Waits for positive evidence of health before move `next`. */
  | { readonly kind: "gating" }
  /** Move `next` is under way, since this time, ms since the epoch. */
  | { readonly kind: "moving"; readonly since?: number }
  /** The same release that is there already, or nothing more: looks once more whether all is as promised. */
  | { readonly kind: "finishing" }
  /** New instances are out of traffic, and the guard makes up its mind. `why`: it says by now that it is not them; they wait there until it is over. */
  | { readonly kind: "withdrawn"; readonly regions: readonly string[]; readonly why?: string }
  /** Nothing moves until there is evidence again. */
  | {
      readonly kind: "holding";
      readonly why: string;
      /** Since when nothing but new instances is missing, ms since the epoch. */
      readonly newAloneSince?: number;
    }
  /** New instances leave traffic first, at once. */
  | { readonly kind: "withdrawing" }
  | { readonly kind: "undoing"; readonly items: readonly UndoItem[]; readonly stage: UndoStage }
  | {
      readonly kind: "backing-up";
      readonly backup: string;
      readonly action: number;
      readonly after: readonly UndoItem[];
    }
  /** Everything is taken back: compares with the before-state, then waits for evidence that users are served again. */
  | {
      readonly kind: "checking";
      /** `component/region` → how it still differs: it is looked at again. */
      readonly differs?: Readonly<Record<string, string>>;
      /** `component/region` → why nobody answers there. */
      readonly unheard?: Readonly<Record<string, string>>;
      /** How often patience has ended for these alone. */
      readonly turns?: number;
    }
  | { readonly kind: "confirming" }
  /** `withdrawn`: regions in which new instances are out of traffic. */
  | { readonly kind: "halted"; readonly why: string; readonly code: string; readonly withdrawn?: readonly string[] }
  | { readonly kind: "ended"; readonly outcome: Outcome; readonly text: string };

/**
 * A workload goes back in four stages, so that capacity never falls: look, bring the old back, give them traffic, clear the new away.
 * `await`: everything else is back, and what comes next waits for places that are away.
 */
export type UndoStage = "look" | "bring-back" | "readmit" | "clear" | "only" | "await";

/** Why a place cannot go back with the others. `isBarred`: asking again would not help; it is left to a person. */
export type Away = { readonly why: string; readonly isBarred?: true };

/** `backed-up`: past the point of no return, the backup plan serves users. `refused`: nothing was touched. */
export type Outcome = "promoted" | "unchanged" | "undone" | "backed-up" | "stranded" | "refused";

/** What should stand in a region now: how many of the old and the fresh, and how many of the fresh take traffic. */
export type Standing = {
  readonly old: number;
  readonly fresh: number;
  readonly admitted: number;
  readonly sharePct?: number;
};

/** One execution of a plan: the fold of its facts. */
export type Run = {
  readonly id: string;
  readonly graph: Graph;
  readonly epoch: number;
  readonly clearance?: Clearance;
  readonly phase: Phase;
  /** Effects that were ordered and have not been answered. */
  readonly pending: Readonly<Record<string, Effect>>;
  readonly attempts: Readonly<Record<string, number>>;
  /** Facts folded so far; makes ids of gates and timers unique. */
  readonly facts: number;
  /** Index of the move under way or next. */
  readonly next: number;
  /** Ids of moves that have changed the world, or may have, in order. */
  readonly touched: readonly string[];
  readonly before: Before;
  /** `component/region` → what should stand there. */
  readonly world: Readonly<Record<string, Standing>>;
  readonly verdict?: Verdict;
  /** Whether health was proved on outcomes newer than the last change that users could feel. */
  readonly isEvidenced: boolean;
  readonly isHaltAsked: boolean;
  readonly cause?: Cause;
  /** When new instances were first ordered out of traffic, ms. */
  readonly withdrawnAt?: number;
  /** Moves that failed without a trace: a transaction that was rolled back. They are no point of no return. */
  readonly traceless: readonly string[];
  /** Metadata moves that an undo left in place, on purpose. */
  readonly kept: readonly string[];
  readonly undone: readonly string[];
  /** Name of the backup plan that ran. */
  readonly backup?: string;
  readonly stranded: readonly string[];
  /** `component/region` → places that an undo goes around: they follow by themselves once they answer. */
  readonly away?: Readonly<Record<string, Away>>;
  /** Items of the undo that are done but for places that are away. */
  readonly parked?: readonly UndoItem[];
};

/** Recorded before the first touch; an undo restores exactly this. */
export type Before = {
  readonly workloads: Readonly<Record<string, WorkloadState>>;
  readonly metadata: Readonly<Record<string, MetadataState>>;
};

export type Decision = { readonly run: Run; readonly effects: readonly Effect[] };

export const placeOf = (component: string, region: string): string => `${component}/${region}`;

/** The release that was there before, in one region. Undefined while nothing was recorded. */
export const oldOf = (
  run: Run,
  component: string,
  region: string,
): { readonly release: string; readonly digest: string } | undefined => {
  const first = run.before.workloads[placeOf(component, region)]?.instances[0];
  return first === undefined ? undefined : { release: first.release, digest: first.digest };
};
