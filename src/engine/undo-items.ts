import { touches, type Move } from "../graph/move.ts";
import { ownNames } from "./move-effects.ts";
import type { Run } from "./run.ts";
import { isThereAlready } from "./standing.ts";

/** One thing to take back. `moves` are the ids whose work it undoes. */
export type UndoItem =
  | {
      readonly kind: "workload";
      readonly component: string;
      readonly regions: readonly string[];
      readonly moves: readonly string[];
    }
  | {
      readonly kind: "metadata";
      readonly component: string;
      readonly names: readonly string[];
      readonly moves: readonly string[];
      readonly backup?: string;
    }
  | {
      readonly kind: "run";
      readonly argv: readonly string[];
      readonly shell: boolean;
      readonly timeoutMs: number;
      readonly moves: readonly string[];
    };

export type WorkloadItem = Extract<UndoItem, { readonly kind: "workload" }>;

/** A region that ran the target before the run was never touched. */
export const regionsToRestore = (run: Run, { component, regions }: WorkloadItem): readonly string[] =>
  regions.filter((region) => !isThereAlready(run, component, region));

export type UndoPlan = {
  readonly items: readonly UndoItem[];
  /** Metadata moves that stay because they serve the old release well. */
  readonly kept: readonly string[];
  /** A step without a way back that was taken: its backup plan runs, and nothing before it is undone. */
  readonly beyond?: { readonly move: string; readonly backup?: string };
};

/**
 * What an undo does now, in reverse order of what was done. Metadata goes back only when it is the suspect (see `Cause`)
 * or when its step says `always`. Nothing is undone across a step without a way back.
 */
export function undoPlan(run: Run): UndoPlan {
  const touched = run.touched.flatMap((id) => run.graph.moves.filter((move) => move.id === id && touches(move)));
  const barrier = touched.findLastIndex(
    (move) => move.kind === "migrate" && move.irreversible && !run.traceless.includes(move.id),
  );
  const back = touched.slice(barrier + 1).toReversed();
  const kept = back
    .filter((move) => move.kind === "migrate" && move.id !== run.cause?.suspect && move.undo !== "always")
    .map((move) => move.id);
  const items = back
    .filter((move) => !kept.includes(move.id))
    .reduce<readonly UndoItem[]>((list, move) => addItem(run, list, move), []);
  const stone = touched[barrier];
  return {
    items,
    kept,
    ...(stone?.kind === "migrate"
      ? { beyond: { move: stone.id, ...(stone.backup === undefined ? {} : { backup: stone.backup }) } }
      : {}),
  };
}

function addItem(run: Run, items: readonly UndoItem[], move: Move): readonly UndoItem[] {
  switch (move.kind) {
    case "start":
    case "admit":
    case "retire":
    case "shift":
      return mergeWorkload(items, move.component, move.regions, move.id);
    case "migrate":
      return [
        ...items,
        {
          kind: "metadata",
          component: move.component,
          names: ownNames(run, move),
          moves: [move.id],
          ...(move.backup === undefined ? {} : { backup: move.backup }),
        },
      ];
    case "run":
      return move.undo === undefined
        ? items
        : [...items, { kind: "run", argv: move.undo, shell: move.shell, timeoutMs: move.deadlineMs, moves: [move.id] }];
    case "prove":
    case "soak":
    case "verify":
    case "approve":
      return items;
  }
}

/** A component goes back to its before-state once, at the place of its latest move. */
function mergeWorkload(
  items: readonly UndoItem[],
  component: string,
  regions: readonly string[],
  move: string,
): readonly UndoItem[] {
  const found = items.find((item) => item.kind === "workload" && item.component === component);
  if (found?.kind !== "workload") return [...items, { kind: "workload", component, regions, moves: [move] }];
  const merged: UndoItem = {
    ...found,
    regions: [...new Set([...found.regions, ...regions])],
    moves: [...found.moves, move],
  };
  return items.map((item) => (item === found ? merged : item));
}
