import type { Graph } from "./graph.ts";
import { touches } from "./move.ts";

/** Whether a plan changes a component, and does not only look at it. */
export const isRolled = ({ moves }: Pick<Graph, "moves">, component: string): boolean =>
  moves.some((move) => touches(move) && "component" in move && move.component === component);
