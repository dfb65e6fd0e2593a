import { workloadOf, type Graph } from "../graph/graph.ts";
import type { Move } from "../graph/move.ts";
import type { Drain } from "../plan/model.ts";
import type { Effect, MarkCause } from "./effect.ts";
import type { Run } from "./run.ts";
import { componentOf, isThereAlready, shapeOf, standingAfter, standingOf, weighingOf } from "./standing.ts";

/** The effects of one move, a region each. Empty when everything it wants is already there. */
export function effectsOf(run: Run, move: Move): readonly Effect[] {
  const id = (region: string) => `${move.id}#${region}`;
  switch (move.kind) {
    case "migrate":
      return [
        {
          id: move.id,
          kind: "migrate",
          component: move.component,
          direction: "up",
          names: ownNames(run, move),
          deadlineMs: move.deadlineMs,
        },
      ];
    case "start":
    case "retire":
      return shapes(run, move, move.drain);
    case "prove":
      return regionsToChange(run, move).map((region) => ({
        ...proveRange(run, move, region),
        id: id(region),
        kind: "prove",
        component: move.component,
        region,
        dark: move.dark,
        deadlineMs: move.deadlineMs,
      }));
    case "admit": {
      // In place, whoever comes and whoever goes are one change.
      const { isInPlace, drain } = componentOf(run, move.component);
      return isInPlace === true ? shapes(run, move, drain) : weighings(run, move);
    }
    case "shift":
      return weighings(run, move);
    case "soak":
      return [{ id: `${move.id}#${run.facts}`, kind: "timer", ms: move.ms }];
    case "run":
      return [
        {
          id: move.id,
          kind: "run",
          argv: move.argv,
          ...(move.job === undefined ? {} : { job: move.job }),
          shell: move.shell,
          timeoutMs: move.deadlineMs,
        },
      ];
    case "verify":
      return [{ id: move.id, kind: "verify", component: move.component, deadlineMs: move.deadlineMs }];
    case "approve":
      return [{ id: move.id, kind: "ask", who: move.who }];
  }
}

type RegionalMove = Extract<Move, { readonly regions: readonly string[] }>;

const shapes = (run: Run, move: RegionalMove, drain: Drain): readonly Effect[] =>
  regionsToChange(run, move).map((region) => ({
    id: `${move.id}#${region}`,
    kind: "shape",
    component: move.component,
    region,
    shape: shapeOf(run, move.component, region, standingAfter(run, move, region), drain),
    deadlineMs: move.deadlineMs,
  }));

const weighings = (run: Run, move: RegionalMove): readonly Effect[] =>
  regionsToChange(run, move).map((region) => ({
    id: `${move.id}#${region}`,
    kind: "weigh",
    component: move.component,
    region,
    weighing: weighingOf(run, move.component, region, standingAfter(run, move, region)),
    deadlineMs: move.deadlineMs,
  }));

/** Migrations of a move that were not applied before the run; only these are this run's to take back. */
export const ownNames = (
  run: Run,
  move: { readonly component: string; readonly names: readonly string[] },
): readonly string[] => {
  const applied = new Set(run.before.metadata[move.component]?.applied.map((one) => one.name));
  return move.names.filter((name) => !applied.has(name));
};

/** Regions of a move in which the new release does not stand already. */
export const regionsToChange = (run: Run, move: RegionalMove): readonly string[] =>
  move.regions.filter((region) => !isThereAlready(run, move.component, region));

function proveRange(run: Run, move: Extract<Move, { readonly kind: "prove" }>, region: string) {
  const target = run.graph.components[move.component];
  const digest = target?.kind === "workload" ? target.target.digest : "";
  return { digest, from: Math.max(move.proved, standingOf(run, move.component, region).admitted) + 1, to: move.fresh };
}

/** What the guard is told of a move that users may feel. */
export function causeOf(graph: Graph, move: Move): MarkCause {
  switch (move.kind) {
    case "migrate":
      return { kind: "metadata", component: move.component };
    case "run":
      return { kind: "behind", component: "run", what: whatOf(move) };
    case "start":
    case "prove":
    case "admit":
    case "retire":
    case "shift":
      return instancesChanged(graph, move);
    case "soak":
    case "verify":
    case "approve":
      return { kind: "start" };
  }
}

const whatOf = ({ argv, job }: Extract<Move, { readonly kind: "run" }>): string =>
  job === undefined ? `the program ${argv[0] ?? ""}`.trimEnd() : `the job ${job.manifest}`;

/** Instances that users' operations enter through are judged by their own outcomes; all others only by what was before. */
export const instancesChanged = (
  graph: Graph,
  { component, regions }: { readonly component: string; readonly regions: readonly string[] },
): MarkCause =>
  workloadOf(graph, component)?.isBehind === true
    ? { kind: "behind", component, what: `new instances of ${component}` }
    : { kind: "instances", component, regions };
