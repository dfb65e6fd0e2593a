import type { RunEvent } from "../../events/event.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Move } from "../../graph/move.ts";
import type { Environment } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";

/** How long a drill may get no further, beyond what its plan and its environment grant, ms. */
const STILL_MS = 150_000;

export type Patience = {
  /** Counts anew from what a run did last. */
  heed(event: RunEvent): void;
  end(): void;
};

/**
 * Tells once that a drill gets no further. It counts from the last thing that its run did, and not from the drill's beginning: how long instances take
 * to come, and how long a plan soaks, is not for a rehearsal to say. A move under way has as long as the engine gives it.
 */
export function patienceWith(
  { graph, environment }: { readonly graph: Graph; readonly environment: Environment },
  clock: Clock,
  onEnd: (why: string) => void,
): Patience {
  const between = STILL_MS + slowestStart(environment);
  const limits = new Map(graph.moves.map((move) => [move.id, STILL_MS + limitOf(move)]));
  let counting = new AbortController();
  const count = (ms: number): void => {
    counting = new AbortController();
    void clock.sleep(ms, counting.signal).then(
      () => onEnd(`it got no further within ${Math.round(ms / 1000)} s`),
      () => {},
    );
  };
  count(between);
  return {
    heed(event) {
      if (!ADVANCES.has(event.kind)) return;
      counting.abort();
      count(event.kind === "move-started" ? (limits.get(event.move) ?? between) : between);
    },
    end: () => counting.abort(),
  };
}

const ADVANCES: ReadonlySet<RunEvent["kind"]> = new Set([
  "run-opened",
  "before-recorded",
  "evidence",
  "move-started",
  "move-done",
  "tripped",
  "undo-step",
  "undone",
  "backup-started",
  "confirming",
]);

const limitOf = (move: Move): number => (move.kind === "soak" ? move.ms : move.deadlineMs);

const slowestStart = ({ components }: Environment): number =>
  Math.max(0, ...Object.values(components).map((one) => ("readyDeadlineMs" in one ? one.readyDeadlineMs : 0)));
