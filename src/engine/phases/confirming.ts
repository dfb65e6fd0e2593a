import type { WorkloadState } from "../../graph/observation.ts";
import { after, cancelPending, go, isQuiet, notify, stay } from "../decision.ts";
import type { Effect } from "../effect.ts";
import type { FactOf } from "../fact.ts";
import { ownNames } from "../move-effects.ts";
import { placeOf, type Decision, type Run } from "../run.ts";
import { undoPlan, type UndoItem } from "../undo-items.ts";
import { PROMOTION } from "./entering.ts";
import { nextItem, strand } from "./undoing.ts";

/** How long users may take to be served again after everything is back. */
const RECOVERY_MS = 60_000;

/** Compares everything that was undone with the record from before the first touch. */
export function check(run: Run): Decision {
  const effects = checks(run);
  const entered = go(run, { kind: "checking" }, effects);
  return effects.length === 0 ? after(entered, confirm(entered.run)) : entered;
}

function checks(run: Run): readonly Effect[] {
  const moves = run.graph.moves.filter((move) => run.undone.includes(move.id));
  const stores = new Set(moves.flatMap((move) => (move.kind === "migrate" ? [move.component] : [])));
  const places = new Set(
    moves.flatMap((move) => ("regions" in move ? move.regions.map((region) => placeOf(move.component, region)) : [])),
  );
  return [
    ...[...stores].map((component): Effect => ({ id: `check:${component}`, kind: "observe-metadata", component })),
    ...[...places].map((place): Effect => {
      const [component = "", region = ""] = place.split("/");
      return { id: `check:${place}`, kind: "observe-workload", component, region };
    }),
  ];
}

/** A comparison is back. A difference strands the run: an undo that does not restore is none. */
export function checked(run: Run, fact: FactOf<"effect-done">): Decision {
  const name = fact.id.slice("check:".length);
  const difference =
    fact.result.kind === "workload"
      ? workloadDifference(run, name, fact.result.state)
      : fact.result.kind === "metadata"
        ? metadataDifference(run, name, fact.result.state)
        : undefined;
  if (difference !== undefined) return strandOn(run, difference);
  return isQuiet(run) ? confirm(run) : stay(run);
}

const strandOn = (run: Run, text: string): Decision => {
  const rest = cancelPending(run);
  return after(rest, strand(rest.run, run.undone, text));
};

function workloadDifference(run: Run, place: string, state: WorkloadState): string | undefined {
  const before = run.before.workloads[place];
  if (before === undefined) return `nothing was recorded of ${place}`;
  const was = signature(before);
  const is = signature(state);
  return was === is ? undefined : `${place} is not as it was: ${was} before, ${is} now`;
}

/** Release, digest, readiness and weight, counted; ids and addresses may differ. */
function signature(state: WorkloadState): string {
  const lines = state.instances
    .map((one) => `${one.release} ${one.digest.slice(0, 19)} ${one.ready ? "ready" : "dead"} weight ${one.weightPct}`)
    .toSorted();
  const kinds = [...new Set(lines)];
  return kinds.map((kind) => `${lines.filter((line) => line === kind).length} × ${kind}`).join(", ");
}

function metadataDifference(
  run: Run,
  component: string,
  state: { readonly fingerprint: string; readonly applied: readonly { readonly name: string }[] },
): string | undefined {
  const before = run.before.metadata[component];
  if (before === undefined) return `nothing was recorded of ${component}`;
  const kept = new Set(
    run.graph.moves.flatMap((move) =>
      move.kind === "migrate" && move.component === component && isLeft(run, move.id) ? ownNames(run, move) : [],
    ),
  );
  const wanted = before.applied.map((one) => one.name).join(", ");
  const found = state.applied
    .map((one) => one.name)
    .filter((name) => !kept.has(name))
    .join(", ");
  if (wanted !== found)
    return `${component} is not as it was: applied ${wanted || "nothing"} before, ${found || "nothing"} now`;
  return kept.size > 0 || state.fingerprint === before.fingerprint
    ? undefined
    : `${component} is not as it was: schema fingerprint ${before.fingerprint} before, ${state.fingerprint} now`;
}

const isLeft = (run: Run, move: string): boolean => run.touched.includes(move) && !run.undone.includes(move);

/** The last word has the users: the run is undone when they are served again. */
function confirm(run: Run): Decision {
  return go(run, { kind: "confirming" }, [
    { id: `mark:back:${run.facts}`, kind: "mark", cause: { kind: "back" } },
    { id: `evidence:${run.facts}`, kind: "watch", ...PROMOTION },
    { id: `recovery:${run.facts}`, kind: "timer", ms: RECOVERY_MS },
  ]);
}

/** Users are served again, or they are not: then metadata that was kept is the next suspect. */
export function confirmed(run: Run, fact: FactOf<"effect-done">): Decision {
  const rest = cancelPending(run);
  if (fact.result.kind === "evidence") return after(rest, end(rest.run));
  const leftovers = keptItems(rest.run);
  if (leftovers.length > 0) return after(rest, nextItem({ ...rest.run, kept: [] }, leftovers));
  return after(
    rest,
    strand(
      rest.run,
      [],
      `everything is taken back, but users are not served: ${run.verdict?.reason ?? "the guard has no evidence of health"}`,
    ),
  );
}

/** Metadata that was kept because it serves the old release well, as it is taken back when it does not. */
export function keptItems(run: Run): readonly UndoItem[] {
  const forced: Run = {
    ...run,
    touched: run.kept,
    ...(run.cause === undefined ? {} : { cause: { ...run.cause, suspect: "" } }),
  };
  const everything = {
    ...forced,
    graph: {
      ...run.graph,
      moves: run.graph.moves.map((move) => (move.kind === "migrate" ? { ...move, undo: "always" as const } : move)),
    },
  };
  return undoPlan(everything).items;
}

function end(run: Run): Decision {
  const outcome = run.backup === undefined ? "undone" : "backed-up";
  const kept = run.kept.length === 0 ? "" : `; kept: ${run.kept.join(", ")}`;
  const how = run.backup === undefined ? "everything that was done is undone" : `backup plan ${run.backup} ran`;
  const text = `${how}, users are served${kept}. Cause: ${run.cause?.text ?? "unknown"}`;
  return go(run, { kind: "ended", outcome, text }, [notify(run, "ended", `${outcome}: ${text}`)]);
}
