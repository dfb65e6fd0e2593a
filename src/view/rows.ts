import type { Graph } from "../graph/graph.ts";

/** A row of the live tree: a step, or a wave of a step. Few rows on purpose; a terminal that redraws hundreds blocks. */
export type Row = { readonly id: string; readonly title: string; readonly first: number; readonly last: number };

/** The plan's moves as rows, in order; `first` and `last` are indices of moves. */
export function rowsOf(graph: Graph): readonly Row[] {
  return graph.moves.reduce<readonly Row[]>((rows, move, index) => {
    const id = rowId(move.id);
    const last = rows.at(-1);
    if (last?.id === id) return [...rows.slice(0, -1), { ...last, last: index }];
    return [...rows, { id, title: rowTitle(graph, id, move.title), first: index, last: index }];
  }, []);
}

/** `2-roll-gateway/wave-1/batch-3/admit` → `2-roll-gateway/wave-1`. */
const rowId = (move: string): string => move.split("/").slice(0, 2).join("/");

function rowTitle(graph: Graph, id: string, title: string): string {
  const move = graph.moves.find((one) => one.id.startsWith(`${id}/`) && "regions" in one);
  if (move === undefined || !("regions" in move)) return title;
  const component = graph.components[move.component];
  const release = component?.kind === "workload" ? component.target.release : move.component;
  return `roll ${release} in ${move.regions.join(", ")}`;
}
