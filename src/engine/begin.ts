import type { Effect } from "./effect.ts";
import type { Opened } from "./fact.ts";
import { clearanceText } from "./clearance.ts";
import { notify, order } from "./decision.ts";
import type { Decision, Run } from "./run.ts";

/** The run at its first fact: nothing is touched, everything is looked at. */
export function begin(opened: Opened): Decision {
  const run: Run = {
    id: opened.run,
    graph: opened.graph,
    epoch: opened.epoch,
    ...(opened.clearance === undefined ? {} : { clearance: opened.clearance }),
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
  return order(run, [...announced(run), ...looks(run, "before")]);
}

/** Whoever goes without a certificate does not do it in silence. */
export const announced = (run: Run): readonly Effect[] =>
  run.clearance?.kind === "override"
    ? [notify(run, "override", `${run.graph.plan} goes to ${run.graph.environment} ${clearanceText(run.clearance)}`)]
    : [];

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
