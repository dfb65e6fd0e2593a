import { after, cancelPending, go, isQuiet, notify, stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import type { MetadataState, WorkloadState } from "../../graph/observation.ts";
import { placeOf, type Decision, type Run } from "../run.ts";
import { differenceOf } from "../standing.ts";
import { foreign, hold } from "./holding.ts";

/** The last look. A run is promoted only when every instance reports the digest that was promised, and every migration is there. */
export function finished(run: Run, fact: FactOf<"effect-done">): Decision {
  const name = fact.id.slice(fact.id.indexOf(":") + 1);
  if (fact.result.kind === "workload") {
    const difference = workloadDifference(run, name, fact.result.state);
    if (difference !== undefined)
      return difference.kind === "foreign" ? foreign(run, difference.text) : hold(run, difference.text);
  }
  if (fact.result.kind === "metadata") {
    const missing = missingNames(run, name, fact.result.state);
    if (missing.length > 0)
      return foreign(run, `${name}: ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} no longer applied`);
  }
  return isQuiet(run) ? promote(run) : stay(run);
}

function workloadDifference(run: Run, place: string, state: WorkloadState) {
  const component = place.split("/")[0] ?? "";
  return run.before.workloads[placeOf(component, state.region)] === undefined
    ? undefined
    : differenceOf(run, component, state);
}

const missingNames = (run: Run, component: string, state: MetadataState): readonly string[] => {
  const applied = new Set(state.applied.map((one) => one.name));
  return run.graph.moves.flatMap((move) =>
    move.kind === "migrate" && move.component === component ? move.names.filter((name) => !applied.has(name)) : [],
  );
};

function promote(run: Run): Decision {
  const rest = cancelPending(run);
  const releases = Object.values(run.graph.components).flatMap((component) =>
    component.kind === "workload" ? [`${component.target.release} in ${component.regions.join(", ")}`] : [],
  );
  const text = releases.length === 0 ? "every step is done" : `every instance runs ${releases.join("; ")}`;
  return after(
    rest,
    go(rest.run, { kind: "ended", outcome: "promoted", text }, [notify(run, "ended", `promoted: ${text}`)]),
  );
}
