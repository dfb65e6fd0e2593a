import type { Graph } from "../graph/graph.ts";
import type { WorkloadState } from "../graph/observation.ts";
import type { Drill } from "./drill.ts";
import { drillsOf, undrilled, wholeWalk, type WalkOrder } from "./drills-of.ts";
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

/**
 * Walks the plan in demo: every step taken back, every fault, and last the whole plan, which stays.
 * A drill that leaves demo otherwise than it found it ends the walk: what came after it would prove nothing.
 */
export async function walk(
  graph: Graph,
  stage: Stage,
  how: {
    readonly now: () => number;
    readonly progress: WalkProgress;
    readonly notes: WalkNotes;
    readonly signal: AbortSignal;
  },
): Promise<WalkResult> {
  const drills: Drill[] = [];
  const add = (drill: Drill): void => {
    drills.push(drill);
    how.progress.drilled(drill);
  };
  const orders = drillsOf(graph);
  const backups = [...new Set(graph.moves.flatMap((move) => (move.kind === "migrate" ? (move.backup ?? []) : [])))];
  const of = orders.length + 1 + backups.length;
  for (const { step, why } of undrilled(graph))
    add({
      name: `taken back after ${titleOf(graph, step)}`,
      step,
      kind: "undo",
      outcome: "skipped",
      ms: 0,
      detail: why,
    });
  const before = await stage.look(how.signal);
  await how.notes.before(before);
  for (const [index, order] of orders.entries()) {
    how.progress.starting({ name: order.name, number: index + 1, of });
    const { drill, isAsBefore } = await drillOnce(order, before, stage, how);
    add(drill);
    if (!isAsBefore) return { drills, moves: [] };
  }
  how.progress.starting({ name: wholeWalk.name, number: orders.length + 1, of });
  const { run, problems } = await played(wholeWalk, stage, how);
  add(drillFrom(wholeWalk, run, problems));
  if (problems.length > 0) return { drills, moves: run.moves };
  await how.notes.done();
  for (const [index, name] of backups.entries()) {
    how.progress.starting({ name: `backup plan ${name}`, number: orders.length + 2 + index, of });
    const startedAt = how.now();
    const { isServed, detail } = await stage.backUp(name, how.signal);
    add({
      name: `backup plan ${name}`,
      step: graph.moves.find((move) => move.kind === "migrate" && move.backup === name)?.id ?? "plan",
      kind: "backup",
      outcome: isServed ? "passed" : "failed",
      ms: how.now() - startedAt,
      detail,
    });
  }
  return { drills, moves: run.moves };
}

const titleOf = (graph: Graph, id: string): string => graph.moves.find((move) => move.id === id)?.title ?? id;

type How = { readonly signal: AbortSignal };

async function drillOnce(
  order: WalkOrder,
  before: Standing,
  stage: Stage,
  how: How,
): Promise<{ readonly drill: Drill; readonly isAsBefore: boolean }> {
  const { run, problems } = await played(order, stage, how);
  await stage.clear(before, how.signal);
  const left = differencesOf(before, await stage.look(how.signal));
  return {
    drill: drillFrom(order, run, [...problems, ...left.map((one) => `demo is not as it was: ${one}`)]),
    isAsBefore: left.length === 0,
  };
}

async function played(
  order: WalkOrder,
  stage: Stage,
  how: How,
): Promise<{ readonly run: DrillRun; readonly problems: readonly string[] }> {
  const run = await stage.play(order, how.signal);
  const isPromised = order.ends.some((end) => end === run.outcome);
  return {
    run,
    problems: [
      ...(isPromised ? [] : [`it ended ${run.outcome} and not ${order.ends.join(" or ")}: ${run.text}`]),
      ...(run.hasStruck ? [] : ["the fault never struck, so nothing is proved"]),
      ...(order.sees === "held" && !run.hasHeld ? ["it did not hold while a region was gone"] : []),
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
