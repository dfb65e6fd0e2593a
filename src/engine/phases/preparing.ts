import { isQuiet, go, notify, stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import { placeOf, type Before, type Decision, type Run } from "../run.ts";
import { isThereAlready } from "../standing.ts";
import { enter } from "./entering.ts";

/** A look is back. When all are: refuse, find nothing to do, or go to the first move. */
export function prepared(run: Run, fact: FactOf<"effect-done">): Decision {
  const known: Run = { ...run, before: recorded(run.before, fact) };
  if (!isQuiet(known)) return stay(known);
  const problems = preflight(known);
  if (problems.length > 0) return refuse(known, problems.join("; "));
  if (isPromotedAlready(known))
    return go(known, {
      kind: "ended",
      outcome: "unchanged",
      text: "nothing to do: every component is where the plan wants it",
    });
  return enter(known, 0, [{ kind: "mark", id: "mark:start", cause: { kind: "start" } }]);
}

export const refuse = (run: Run, text: string): Decision =>
  go(run, { kind: "ended", outcome: "refused", text }, [notify(run, "ended", `refused: ${text}`)]);

function recorded(before: Before, fact: FactOf<"effect-done">): Before {
  const name = fact.id.slice(fact.id.indexOf(":") + 1);
  if (fact.result.kind === "workload")
    return { ...before, workloads: { ...before.workloads, [name]: fact.result.state } };
  if (fact.result.kind === "metadata")
    return { ...before, metadata: { ...before.metadata, [name]: fact.result.state } };
  return before;
}

/** What makes a start impossible. Each is a sentence with its facts. */
function preflight(run: Run): readonly string[] {
  return Object.values(run.graph.components).flatMap((component) =>
    component.kind === "workload"
      ? component.regions.flatMap((region) => regionProblems(run, component.name, region, component.instances))
      : [],
  );
}

function regionProblems(run: Run, component: string, region: string, wanted: number): readonly string[] {
  const instances = run.before.workloads[placeOf(component, region)]?.instances ?? [];
  const where = `${component} in ${region}`;
  const releases = new Map(instances.map((one) => [one.digest, one.release]));
  if (instances.length === 0) return [`${where}: no instance runs, so there is nothing to upgrade or to go back to`];
  if (releases.size > 1)
    return [`${where}: ${[...releases.values()].join(" and ")} run side by side; end the other upgrade first`];
  if (instances.length !== wanted)
    return [`${where}: the environment states ${wanted} instances, ${instances.length} were found`];
  const dead = instances.filter((one) => !one.ready || one.weightPct !== 100);
  return dead.length === 0
    ? []
    : [
        `${where}: ${dead.map((one) => one.id).join(", ")} ${dead.length === 1 ? "does" : "do"} not take full traffic now; mend that first, nothing was changed and nothing is held`,
      ];
}

const isPromotedAlready = (run: Run): boolean =>
  run.graph.moves.every((move) => {
    if (move.kind === "migrate") return isApplied(run, move.component, move.names);
    if (move.kind === "run") return false;
    return "regions" in move ? move.regions.every((region) => isThereAlready(run, move.component, region)) : true;
  });

export const isApplied = (run: Run, component: string, names: readonly string[]): boolean => {
  const applied = new Set(run.before.metadata[component]?.applied.map((one) => one.name));
  return names.every((name) => applied.has(name));
};
