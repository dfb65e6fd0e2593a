import type { WorkloadState } from "../../graph/observation.ts";
import { after, awaits, cancelPending, go, isQuiet, notify, order, stay } from "../decision.ts";
import type { Effect, EffectOf } from "../effect.ts";
import type { FactOf } from "../fact.ts";
import { ownNames } from "../move-effects.ts";
import { placeOf, type Decision, type Phase, type Run } from "../run.ts";
import { componentOf } from "../standing.ts";
import { undoPlan, type UndoItem } from "../undo-items.ts";
import { PROMOTION } from "./entering.ts";
import { AWAY_PATIENCE_MS, LOOK_DEADLINE_MS } from "./away.ts";
import { nextItem, strand } from "./undoing.ts";

type Checking = Extract<Phase, { readonly kind: "checking" }>;

/** How long users may take to be served again after everything is back. */
const RECOVERY_MS = 60_000;

/** Old instances that came back a moment ago may still be on their way: they get as long as the undo gave them. */
const CHECK_PATIENCE_MS = 120_000;
const CHECK_AGAIN_MS = 1_000;
/** One that nobody answers for is waited for as an undo waits. */
const UNHEARD_AGAIN_MS = 5_000;

/** Compares everything that was undone with the record from before the first touch. */
export function check(run: Run): Decision {
  const effects = checks(run);
  if (effects.length === 0) return confirm(run);
  return go(run, { kind: "checking" }, effects);
}

/** Begins with the first thing that is not as it was. */
const patience = (run: Run): readonly Effect[] =>
  awaits(run, isCheckPatience) ? [] : [{ id: `check-patience:${run.facts}`, kind: "timer", ms: CHECK_PATIENCE_MS }];
const isCheckPatience = (id: string): boolean => id.startsWith("check-patience:");

function checks(run: Run): readonly Effect[] {
  const moves = run.graph.moves.filter((move) => run.undone.includes(move.id));
  const stores = new Set(moves.flatMap((move) => (move.kind === "migrate" ? [move.component] : [])));
  const places = new Set(
    moves.flatMap((move) => ("regions" in move ? move.regions.map((region) => placeOf(move.component, region)) : [])),
  );
  return [
    ...[...stores].map((component): Effect => ({ id: `check:${component}`, kind: "observe-metadata", component })),
    ...[...places].map((place) => lookAt(place)),
  ];
}

function lookAt(place: string): Effect {
  const [component = "", region = ""] = place.split("/");
  return { id: `check:${place}`, kind: "observe-workload", component, region, deadlineMs: LOOK_DEADLINE_MS };
}

/**
 * A comparison is back. A difference that stays strands the run: an undo that does not restore is none. Instances are looked at again first,
 * because one that was unready for a moment is none; who is of neither release was brought by somebody else, and does not go by itself.
 */
export function checked(run: Run, fact: FactOf<"effect-done">): Decision {
  if (run.phase.kind !== "checking") return stay(run);
  if (isCheckPatience(fact.id)) return overdue(run, run.phase);
  const name = fact.id.slice("check:".length);
  if (fact.result.kind === "metadata") {
    const difference = metadataDifference(run, name, fact.result.state);
    return difference === undefined ? compared(run) : strandOn(run, difference);
  }
  if (fact.result.kind !== "workload") return compared(run);
  const difference = workloadDifference(run, name, fact.result.state);
  const { [name]: _, ...differs } = run.phase.differs ?? {};
  const { [name]: __, ...unheardYet } = run.phase.unheard ?? {};
  const seen: Run = { ...run, phase: { ...run.phase, differs, unheard: unheardYet } };
  if (difference === undefined) return compared(seen);
  if (isStrange(run, name, fact.result.state)) return strandOn(run, difference);
  const known: Run = {
    ...seen,
    phase: { ...run.phase, differs: { ...differs, [name]: difference }, unheard: unheardYet },
  };
  return order(known, [...patience(known), lookAgain(known, lookAt(name), CHECK_AGAIN_MS)]);
}

function compared(run: Run): Decision {
  if (!isQuiet(run, isCheckPatience)) return stay(run);
  const rest = cancelPending(run);
  return after(rest, confirm(rest.run));
}

function isStrange(run: Run, place: string, state: WorkloadState): boolean {
  const component = place.split("/")[0] ?? "";
  const known = new Set([
    ...(run.before.workloads[place]?.instances ?? []).map(({ digest }) => digest),
    componentOf(run, component).target.digest,
  ]);
  return state.instances.some(({ digest }) => !known.has(digest));
}

const lookAgain = (run: Run, next: Effect, ms: number): Effect => ({
  id: `check-again:${next.id}:${run.facts}`,
  kind: "timer",
  ms,
  next,
});

/** Nobody answers there: what was taken back is taken for back by nobody until it is seen. */
export function unheard(run: Run, effect: EffectOf<"observe-workload">, why: string): Decision {
  if (run.phase.kind !== "checking") return stay(run);
  const place = placeOf(effect.component, effect.region);
  const isNew = run.phase.unheard?.[place] === undefined;
  const known: Run = { ...run, phase: { ...run.phase, unheard: { ...run.phase.unheard, [place]: why } } };
  return order(known, [
    ...patience(known),
    lookAgain(known, effect, UNHEARD_AGAIN_MS),
    ...(isNew ? [notify(run, "held", `${place} is taken back, and cannot be reached to be compared: ${why}`)] : []),
  ]);
}

function overdue(run: Run, phase: Checking): Decision {
  const { differs = {}, unheard: silent = {}, turns = 0 } = phase;
  if (Object.keys(differs).length > 0) return strandOn(run, Object.values(differs).join("; "));
  if (turns * CHECK_PATIENCE_MS >= AWAY_PATIENCE_MS)
    return strandOn(
      run,
      `what was undone could not be compared with what was before: ${Object.entries(silent)
        .map(([place, why]) => `${place} (${why})`)
        .join(", ")}`,
    );
  return order({ ...run, phase: { ...phase, turns: turns + 1 } }, patience(run));
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
