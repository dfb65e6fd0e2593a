import { workloadOf, type Graph } from "../graph/graph.ts";
import type { Move } from "../graph/move.ts";
import type { Drill } from "./drill.ts";
import type { DrillRun, Standing } from "./stage.ts";

export type Side = "old" | "new";
export type PairedSide = { readonly component: string; readonly side: Side; readonly region: string };

/** Two components that talk to each other, each with one of its releases, that serve users at the same time on the way of a rollout. */
export type Pair = {
  readonly caller: PairedSide;
  readonly called: PairedSide;
  /** How many moves of the plan are done while they stand together: every count at which they do. */
  readonly after: readonly number[];
};

/** Which releases of a place take users' traffic. */
type Serving = Readonly<Record<Side, boolean>>;
const SIDES: readonly Side[] = ["old", "new"];

/**
 * Every pair that the rollout passes through. Components that share a region meet in it; those that share none meet wherever they are.
 * Instances in the dark are no part of a pair: users do not reach them.
 */
export function pairsOf(graph: Graph): readonly Pair[] {
  const states = statesOf(graph);
  return meetingsOf(graph).flatMap(([caller, called]) =>
    SIDES.flatMap((callerSide) =>
      SIDES.flatMap((calledSide): readonly Pair[] => {
        const after = states.flatMap((serving, count) =>
          isServing(serving, caller, callerSide) && isServing(serving, called, calledSide) ? [count] : [],
        );
        return after.length === 0
          ? []
          : [{ caller: { ...caller, side: callerSide }, called: { ...called, side: calledSide }, after }];
      }),
    ),
  );
}

type Place = { readonly component: string; readonly region: string };

function meetingsOf(graph: Graph): readonly (readonly [caller: Place, called: Place])[] {
  return Object.values(graph.components).flatMap((component) =>
    component.kind === "workload"
      ? (component.needs ?? []).flatMap((need) => {
          const called = workloadOf(graph, need);
          if (called === undefined) return [];
          const shared = component.regions.filter((region) => called.regions.includes(region));
          return shared.length > 0
            ? shared.map((region) => [place(component.name, region), place(need, region)] as const)
            : component.regions.flatMap((from) =>
                called.regions.map((to) => [place(component.name, from), place(need, to)] as const),
              );
        })
      : [],
  );
}

const place = (component: string, region: string): Place => ({ component, region });
const keyOf = ({ component, region }: Place): string => `${component}/${region}`;

type State = Readonly<Record<string, Serving>>;
const isServing = (state: State, at: Place, side: Side): boolean =>
  (state[keyOf(at)] ?? { old: true, new: false })[side];

/** Who serves before the first move, and after each. */
const statesOf = ({ moves }: Graph): readonly State[] =>
  moves.reduce<readonly State[]>((states, move) => [...states, { ...states.at(-1), ...changeOf(move) }], [{}]);

function changeOf(move: Move): State {
  switch (move.kind) {
    case "admit":
      return everywhere(move, { old: move.keep > 0 && move.isSwitch !== true, new: move.fresh > 0 });
    case "retire":
      return everywhere(move, { old: move.keep > 0, new: move.fresh > 0 });
    case "shift":
      return everywhere(move, { old: move.toPct < 100, new: move.toPct > 0 });
    case "start":
    case "prove":
    case "migrate":
    case "soak":
    case "run":
    case "verify":
    case "approve":
      return {};
  }
}

const everywhere = (
  { component, regions }: { readonly component: string; readonly regions: readonly string[] },
  serving: Serving,
): State => Object.fromEntries(regions.map((region) => [keyOf({ component, region }), serving]));

/**
 * Whether the walk showed health in every pair of releases: the guard had positive evidence, newer than the change that brought the pair about,
 * before the next change. The same releases in several regions are one drill, passed when each region was seen.
 */
export function drillsOfPairs(graph: Graph, before: Standing, runs: readonly DrillRun[]): readonly Drill[] {
  const seen = runs.flatMap(({ evidence }) => evidence.map((one) => ({ ...one, after: countBefore(graph, one.move) })));
  const named = pairsOf(graph).map((pair) => ({
    pair,
    name: `pair ${releaseOf(graph, before, pair.caller)} with ${releaseOf(graph, before, pair.called)}`,
    proof: seen.find(({ after }) => pair.after.includes(after)),
  }));
  return [...Map.groupBy(named, ({ name }) => name)].map(([name, all]): Drill => {
    const unseen = all.filter(({ proof }) => proof === undefined).map(({ pair }) => regionsOf(pair));
    return {
      name,
      step: graph.moves[(all[0]?.pair.after[0] ?? 0) - 1]?.id ?? "plan",
      kind: "pair",
      outcome: unseen.length === 0 ? "passed" : "failed",
      ms: 0,
      detail:
        unseen.length === 0
          ? all.map(({ pair, proof }) => `${regionsOf(pair)}: ${proof?.reason ?? ""}`).join("\n")
          : `the walk never showed health while they stood together in ${unseen.join(", ")}`,
    };
  });
}

/** Evidence was wanted before this move: all before it are done. */
const countBefore = (graph: Graph, move: string): number => {
  const index = graph.moves.findIndex(({ id }) => id === move);
  return index === -1 ? graph.moves.length : index;
};

function releaseOf(graph: Graph, before: Standing, { component, region, side }: PairedSide): string {
  const target = workloadOf(graph, component)?.target.release ?? component;
  return side === "new" ? target : (before.workloads[`${component}/${region}`]?.instances[0]?.release ?? component);
}

const regionsOf = ({ caller, called }: Pair): string =>
  caller.region === called.region ? caller.region : `${caller.region} and ${called.region}`;
