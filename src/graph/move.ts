import type { DarkProof, Drain, JobProgram, MigrationPhase } from "../plan/model.ts";

/** What every move has. `id` is stable: the same plan and environment always give the same ids. */
type Stem = {
  readonly id: string;
  /** Index of the plan's step it came from. */
  readonly step: number;
  /** One line for people, such as "admit 1 of 6 gateway@2.0 in tokyo". */
  readonly title: string;
  readonly deadlineMs: number;
  /** How often its effects are sent again after a failure that may pass. */
  readonly retries: number;
};

/**
 * The smallest thing that the engine decides about. A `roll` step becomes, for every batch of every wave, the moves
 * start, prove, admit and retire (retire first where the plan allows no surplus; admit alone where nothing is proved and admission brings instances
 * itself, with the old ones of the batch before leaving in the same stroke; where instances are replaced in place, admit takes the old ones
 * away with the same stroke, and only the last batch of a wave has a retire; where users' shares are moved to a full second set: start, prove, a shift
 * and a soak for each share, admit for the last of them, its soak, and retire). Counts are totals after the move, never differences,
 * so that a move can be sent twice.
 */
export type Move = Stem &
  (
    | MigrateMove
    /** New instances come up beside the old ones, in the dark. */
    | {
        readonly kind: "start";
        readonly component: string;
        readonly regions: readonly string[];
        readonly fresh: number;
        readonly keep: number;
        readonly drain: Drain;
      }
    /** Instances `proved + 1` to `fresh` are probed directly, before any user reaches them. */
    | {
        readonly kind: "prove";
        readonly component: string;
        readonly regions: readonly string[];
        readonly proved: number;
        readonly fresh: number;
        readonly dark: DarkProof;
      }
    | {
        readonly kind: "admit";
        readonly component: string;
        readonly regions: readonly string[];
        readonly fresh: number;
        readonly keep: number;
        /** Users reach the new ones alone; the old ones stay beside them, out of traffic. */
        readonly isSwitch?: true;
      }
    /** Old instances leave traffic, drain and stop, until `keep` are left. */
    | {
        readonly kind: "retire";
        readonly component: string;
        readonly regions: readonly string[];
        readonly fresh: number;
        readonly keep: number;
        readonly drain: Drain;
      }
    | {
        readonly kind: "shift";
        readonly component: string;
        readonly regions: readonly string[];
        readonly toPct: number;
      }
    | { readonly kind: "soak"; readonly ms: number }
    | {
        readonly kind: "run";
        /** Empty for a Job. */
        readonly argv: readonly string[];
        readonly job?: JobProgram;
        readonly undo?: readonly string[];
        readonly shell: boolean;
      }
    | { readonly kind: "verify"; readonly component: string }
    | { readonly kind: "approve"; readonly who: string }
  );

export type MigrateMove = {
  readonly kind: "migrate";
  readonly component: string;
  readonly phase: MigrationPhase;
  /** In order of application. */
  readonly names: readonly string[];
  readonly irreversible: boolean;
  readonly backup?: string;
  readonly undo: "suspect" | "always";
};

/** What a `run` move runs, for people. */
export const programText = ({ argv, job }: { readonly argv: readonly string[]; readonly job?: JobProgram }): string =>
  job === undefined ? argv.join(" ") : `job ${job.manifest}`;

/** Moves after which users may be served differently: evidence of health must be newer than each of them. */
export const isVisible = (move: Move): boolean =>
  move.kind === "migrate" ||
  move.kind === "admit" ||
  move.kind === "retire" ||
  move.kind === "shift" ||
  move.kind === "run";

/** Moves that change the world at all, and so have an undo. */
export const touches = (move: Move): boolean => isVisible(move) || move.kind === "start";
