import type { RunEvent, RunEventOf } from "../../events/event.ts";
import { workloadOf, type Graph, type WorkloadComponent } from "../../graph/graph.ts";
import { isRolled } from "../../graph/rolled.ts";
import type { Announcement } from "../../ports/announcer.ts";

/** What of a run is told at the objects that it upgrades: that it began, each batch, and how it ended. Everything else stands in the run. */
export function announcementsOf(event: RunEvent, graph: Graph): readonly Announcement[] {
  switch (event.kind) {
    case "before-recorded":
      return rolledIn(graph).map((one) => ({
        ...ofWhole(one),
        reason: "UpgradeBegan",
        note: `the upgrade to ${one.target.release} begins (midflight run ${event.run})`,
        isWarning: false,
      }));
    case "move-done":
      return batchDone(event, graph);
    case "withdrawn":
      return rolledIn(graph).flatMap((one) => {
        const regions = one.regions.filter((region) => event.regions.includes(region));
        const note = `new instances are withdrawn from traffic (midflight run ${event.run})`;
        return regions.length === 0
          ? []
          : [{ component: one.name, regions, reason: "Withdrawn", note, isWarning: true }];
      });
    case "ended":
      return rolledIn(graph).flatMap((one) => ending(event, one));
    case "halted":
      return rolledIn(graph).map((one) => ({
        ...ofWhole(one),
        reason: "Halted",
        note: `the upgrade halted: ${event.why} (midflight run ${event.run})`,
        isWarning: true,
      }));
    case "run-opened":
    case "run-resumed":
    case "gate-waiting":
    case "evidence":
    case "move-started":
    case "verdict":
    case "held":
    case "tripped":
    case "undo-step":
    case "place-away":
    case "place-back":
    case "undone":
    case "backup-started":
    case "confirming":
    case "attempt-failed":
    case "asked":
    case "undelivered":
    case "probe-filled":
    case "pulse":
      return [];
  }
}

/** Components that the plan changes. */
const rolledIn = (graph: Graph): readonly WorkloadComponent[] =>
  Object.keys(graph.components).flatMap((name): readonly WorkloadComponent[] => {
    const component = workloadOf(graph, name);
    return component !== undefined && isRolled(graph, name) ? [component] : [];
  });

const ofWhole = ({ name, regions }: WorkloadComponent) => ({ component: name, regions });

/** A batch is done with the last of its moves that users can feel. */
function batchDone({ move: id, run }: RunEventOf<"move-done">, graph: Graph): readonly Announcement[] {
  const move = graph.moves.find((one) => one.id === id);
  if (move?.kind !== "admit" && move?.kind !== "retire") return [];
  const batch = id.slice(0, id.lastIndexOf("/") + 1);
  const last = graph.moves.findLast(
    (one) => one.id.startsWith(batch) && (one.kind === "admit" || one.kind === "retire"),
  );
  const component = workloadOf(graph, move.component);
  if (last?.id !== id || component === undefined) return [];
  const note = `${move.fresh} of ${component.instances} instances run ${component.target.release} (midflight run ${run})`;
  return [{ component: move.component, regions: move.regions, reason: "BatchDone", note, isWarning: false }];
}

function ending({ outcome, run, message }: RunEventOf<"ended">, one: WorkloadComponent): readonly Announcement[] {
  const told = ENDINGS[outcome];
  if (told === undefined) return [];
  return [{ ...ofWhole(one), ...told, note: `${message} (midflight run ${run})` }];
}

/** A run that was refused, or had nothing to do, never began. */
const ENDINGS: Readonly<Record<string, Pick<Announcement, "reason" | "isWarning">>> = {
  promoted: { reason: "Promoted", isWarning: false },
  undone: { reason: "Undone", isWarning: true },
  "backed-up": { reason: "BackedUp", isWarning: true },
  stranded: { reason: "Stranded", isWarning: true },
};
