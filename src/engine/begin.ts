import type { Effect } from "./effect.ts";
import type { Opened } from "./fact.ts";
import { order } from "./decision.ts";
import type { Decision, Run } from "./run.ts";

/** The run at its first fact: nothing is touched, everything is looked at. */
export function begin(opened: Opened): Decision {
  const run: Run = {
    id: opened.run,
    graph: opened.graph,
    epoch: opened.epoch,
    phase: { kind: "preparing" },
    pending: {},
    attempts: {},
    facts: 1,
    next: 0,
    touched: [],
    before: { workloads: {}, metadata: {} },
    world: {},
    isEvidenced: false,
    isHaltAsked: false,
    traceless: [],
    kept: [],
    undone: [],
    stranded: [],
  };
  return order(run, looks(run, "before"));
}

/** A look at every component in every region. */
export function looks(run: Run, why: string): readonly Effect[] {
  return Object.values(run.graph.components).flatMap((component): readonly Effect[] =>
    component.kind === "metadata"
      ? [{ id: `${why}:${component.name}`, kind: "observe-metadata", component: component.name }]
      : component.regions.map((region) => ({
          id: `${why}:${component.name}/${region}`,
          kind: "observe-workload",
          component: component.name,
          region,
        })),
  );
}
