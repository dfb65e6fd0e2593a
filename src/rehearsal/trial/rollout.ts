import type { Graph } from "../../graph/graph.ts";
import type { MigrateMove, Move } from "../../graph/move.ts";

/** A migration on the way from the first state of the metadata to the last. */
export type RolloutStep = {
  readonly migration: string;
  /** Id of the move that applies it. */
  readonly step: string;
  readonly irreversible: boolean;
};

export type Side = "old" | "new";

/** Which side of which component a state of the metadata must serve. */
export type Live = { readonly component: string; readonly side: Side };

/** The states that the rollout passes through: `live[0]` before the first migration, `live[n]` after the n-th. */
export type Rollout = { readonly steps: readonly RolloutStep[]; readonly live: readonly (readonly Live[])[] };

/**
 * Reads off the order of moves who lives when. The old release is served until its last instance retired; the new one from the
 * moment its first instance starts. `pending`: migrations that are not applied yet.
 */
export function rolloutOf(
  graph: Graph,
  store: string,
  components: readonly string[],
  pending: readonly string[],
): Rollout {
  const applied = graph.moves.flatMap((move, at) =>
    move.kind === "migrate" && move.component === store
      ? move.names.filter((name) => pending.includes(name)).map((name) => ({ name, at, move }))
      : [],
  );
  const steps = applied.map(({ name, move }) => stepOf(name, move));
  const ends = [-1, ...applied.map(({ at }) => at)];
  const live = ends.map((from, index) => {
    const to = ends[index + 1] ?? graph.moves.length;
    return components.flatMap((component) => liveIn(graph.moves, component, from, to));
  });
  return { steps, live };
}

const stepOf = (migration: string, move: Move & MigrateMove): RolloutStep => ({
  migration,
  step: move.id,
  irreversible: move.irreversible,
});

/** Between two moves; two migrations of one move have no move between them, and a state all the same. */
function liveIn(moves: readonly Move[], component: string, from: number, to: number): readonly Live[] {
  const starts = firstOf(moves, component);
  const gone = retiredAt(moves, component);
  const live: Live[] = [];
  if (gone === undefined || from < gone) live.push({ component, side: "old" });
  if (starts !== undefined && starts < to) live.push({ component, side: "new" });
  return live;
}

const firstOf = (moves: readonly Move[], component: string): number | undefined => {
  const at = moves.findIndex(
    (move) => (move.kind === "start" || move.kind === "admit" || move.kind === "shift") && move.component === component,
  );
  return at < 0 ? undefined : at;
};

/** The move after which no region has an old instance. */
function retiredAt(moves: readonly Move[], component: string): number | undefined {
  const regions = new Set(
    moves.flatMap((move) => (move.kind === "retire" && move.component === component ? move.regions : [])),
  );
  const gone = new Set<string>();
  for (const [at, move] of moves.entries()) {
    if (move.kind !== "retire" || move.component !== component || move.keep > 0) continue;
    for (const region of move.regions) gone.add(region);
    if (gone.size === regions.size) return at;
  }
  return undefined;
}
