import type { Run } from "../engine/run.ts";
import type { RunEvent } from "./event.ts";
import { eventsOf, type Told } from "./events-of.ts";

/** Tells a run entry by entry, in order: it remembers the run before each, and when moves were started. `before` is where a revived run stands. */
export function narrator(
  before?: Run,
): (entry: Pick<Told, "seq" | "fact" | "effects">, after: Run) => readonly RunEvent[] {
  let last = before;
  const startedAt = new Map<string, number>();
  return (entry, after) => {
    const events = eventsOf({ ...entry, before: last, after, startedAt });
    for (const event of events) if (event.kind === "move-started") startedAt.set(event.move, entry.fact.at);
    last = after;
    return events;
  };
}
