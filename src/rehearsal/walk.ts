import type { Graph } from "../graph/graph.ts";
import type { WorkloadState } from "../graph/observation.ts";
import { drillsOfDark } from "./dark.ts";
import { havePassed, type Drill } from "./drill.ts";
import { drillsOf, pastReturnOf, undrilled, wholeWalk, type WalkOrder } from "./drills-of.ts";
import { drillsOfPairs } from "./pairs-of.ts";
import type { DrillRun, Stage, Standing } from "./stage.ts";

/** Told while the rehearsal goes on. */
export type WalkProgress = {
  starting(order: { readonly name: string; readonly number: number; readonly of: number }): void;
  drilled(drill: Drill): void;
};

/** Written down for whoever has to clear up, should the walk be killed. */
export type WalkNotes = {
  before(standing: Standing): Promise<void>;
  /** From here on demo keeps what is done to it. */
  done(): Promise<void>;
};

export type WalkResult = {
  readonly drills: readonly Drill[];
  /** How long each move of the whole plan took, ms. */
  readonly moves: DrillRun["moves"];
};

type How = {
  readonly progress: WalkProgress;
  readonly notes: WalkNotes;
  readonly signal: AbortSignal;
};

/**
 * Walks the plan in demo: every step taken back, every fault, then past each point of no return, and last the whole plan, which stays.
 * A drill that leaves demo otherwise than it found it ends the walk: what came after it would prove nothing.
 */
export async function walk(graph: Graph, stage: Stage, how: How): Promise<WalkResult> {
  const [orders, forward] = [drillsOf(graph), [...pastReturnOf(graph), wholeWalk]];
  const drills: Drill[] = [];
  const add = (drill: Drill): void => {
    drills.push(drill);
    how.progress.drilled(drill);
  };
  const starting = (order: WalkOrder, index: number): void =>
    how.progress.starting({ name: order.name, number: index + 1, of: orders.length + forward.length });
  for (const skipped of skippedOf(graph)) add(skipped);
  const before = await stage.look(how.signal);
  await how.notes.before(before);
  for (const [index, order] of orders.entries()) {
    starting(order, index);
    const { drill, isAsBefore } = await drillOnce(order, before, stage, how.signal);
    add(drill);
    if (!isAsBefore) return { drills, moves: [] };
  }
  const runs: DrillRun[] = [];
  for (const [index, order] of forward.entries()) {
    starting(order, orders.length + index);
    const { run, problems } = await played(order, stage, how.signal);
    runs.push(run);
    add(drillFrom(order, run, problems));
    if (problems.length === 0 || isPastReturn(order, run)) await how.notes.done();
    if (problems.length > 0) break;
  }
  if (havePassed(drills))
    for (const drill of [...drillsOfDark(graph, runs), ...drillsOfPairs(graph, before, runs)]) add(drill);
  return { drills, moves: firstTimes(runs) };
}

/** Then nobody can take it back any more, however the drill ended. */
const isPastReturn = ({ kind, step }: WalkOrder, { moves }: DrillRun): boolean =>
  kind === "backup" && moves.some(({ move }) => move === step);

const skippedOf = (graph: Graph): readonly Drill[] =>
  undrilled(graph).map(({ step, why }) => ({
    name: `taken back after ${titleOf(graph, step)}`,
    step,
    kind: "undo",
    outcome: "skipped",
    ms: 0,
    detail: why,
  }));

/** What was done before a point of no return is not done again after it. */
const firstTimes = (runs: readonly DrillRun[]): DrillRun["moves"] => {
  const times = new Map<string, number>();
  for (const { move, ms } of runs.flatMap(({ moves }) => moves)) if (!times.has(move)) times.set(move, ms);
  return [...times].map(([move, ms]) => ({ move, ms }));
};

const titleOf = (graph: Graph, id: string): string => graph.moves.find((move) => move.id === id)?.title ?? id;

async function drillOnce(
  order: WalkOrder,
  before: Standing,
  stage: Stage,
  signal: AbortSignal,
): Promise<{ readonly drill: Drill; readonly isAsBefore: boolean }> {
  const { run, problems } = await played(order, stage, signal);
  await stage.clear(before, signal);
  const left = differencesOf(before, await stage.look(signal));
  return {
    drill: drillFrom(order, run, [...problems, ...left.map((one) => `demo is not as it was: ${one}`)]),
    isAsBefore: left.length === 0,
  };
}

async function played(
  order: WalkOrder,
  stage: Stage,
  signal: AbortSignal,
): Promise<{ readonly run: DrillRun; readonly problems: readonly string[] }> {
  const run = await stage.play(order, signal);
  const isPromised = order.ends.some((end) => end === run.outcome);
  return {
    run,
    problems: [
      ...(isPromised ? [] : [`it ended ${run.outcome} and not ${order.ends.join(" or ")}: ${run.text}`]),
      ...(run.hasStruck ? [] : ["the fault never struck, so nothing is proved"]),
      ...order.strikes
        .filter(({ move, acts }) => acts.some(({ kind }) => kind === "kill-region") && !run.heldAfter.includes(move))
        .map(
          ({ move }) => `it did not hold while a region was gone after ${move}; it ended ${run.outcome}: ${run.text}`,
        ),
    ],
  };
}

const drillFrom = (order: WalkOrder, run: DrillRun, problems: readonly string[]): Drill => ({
  name: order.name,
  step: order.step,
  kind: order.kind,
  outcome: problems.length === 0 ? "passed" : "failed",
  ms: run.ms,
  detail: problems.length === 0 ? `${run.outcome}: ${run.text}` : `${problems.join("; ")} (run ${run.run})`,
});

/** What stands otherwise than before. Ids and addresses of instances may change; releases, readiness, weights, schema and history may not. */
export function differencesOf(before: Standing, after: Standing): readonly string[] {
  const places = Object.entries(before.workloads).flatMap(([place, was]) => {
    const is = after.workloads[place];
    const [a, b] = [signatureOf(was), is === undefined ? "nothing" : signatureOf(is)];
    return a === b ? [] : [`${place}: ${a} before, ${b} now`];
  });
  const stores = Object.entries(before.metadata).flatMap(([name, was]) => {
    const is = after.metadata[name];
    if (is === undefined) return [`${name} cannot be seen`];
    const [a, b] = [namesOf(was), namesOf(is)];
    if (a !== b) return [`${name}: applied ${a || "nothing"} before, ${b || "nothing"} now`];
    return was.fingerprint === is.fingerprint
      ? []
      : [`${name}: schema ${was.fingerprint} before, ${is.fingerprint} now`];
  });
  return [...places, ...stores];
}

const namesOf = (state: { readonly applied: readonly { readonly name: string }[] }): string =>
  state.applied.map(({ name }) => name).join(", ");

function signatureOf(state: WorkloadState): string {
  const lines = state.instances.map(
    (one) => `${one.release} ${one.digest.slice(0, 19)} ${one.ready ? "ready" : "dead"} weight ${one.weightPct}`,
  );
  const counts = Map.groupBy(lines, (line) => line);
  return [...counts]
    .map(([line, all]) => `${all.length} × ${line}`)
    .toSorted()
    .join(", ");
}
