import type { Graph } from "../../graph/graph.ts";
import type { Migration } from "../../plan/model.ts";
import type { ListedQuery, StoreIdentity } from "../../ports/trials.ts";
import type { Side } from "./rollout.ts";

/** A release of a component that uses the store, with the list that lies in its folder. */
export type ListedRelease = {
  readonly component: string;
  readonly side: Side;
  readonly release: string;
  /** None: it brings no list, which is told. */
  readonly queries: readonly ListedQuery[];
};

export type TrialOrder = {
  readonly store: string;
  /** The plan as it is compiled for demo. */
  readonly graph: Graph;
  /** All of the store's folder, in order. */
  readonly migrations: readonly Migration[];
  /** Names that demo has already. */
  readonly applied: readonly string[];
  readonly releases: readonly ListedRelease[];
  /** Stores of production, as whoever may only read sees them. The rehearsal must be on none of their servers. */
  readonly production: readonly StoreIdentity[];
  /** When a component gives up a call to the store, ms: production's threshold. */
  readonly abortMs: number;
};
