import type { Graph } from "./graph.ts";
import { seconds } from "./seconds.ts";

/** The same steps, with no soak longer than that. Ids stay. */
export const withSoaksAtMost = (graph: Graph, mostMs: number): Graph => ({
  ...graph,
  moves: graph.moves.map((move) =>
    move.kind === "soak" && move.ms > mostMs
      ? { ...move, ms: mostMs, title: `soak ${seconds(mostMs)} of ${seconds(move.ms)}` }
      : move,
  ),
});
