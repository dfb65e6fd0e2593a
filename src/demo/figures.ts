import type { RunEvent } from "../events/event.ts";
import type { Figures, StoryName } from "./stories/story.ts";
import type { TrafficSummary } from "./traffic/report.ts";

export type Measured = { readonly story: StoryName; readonly outcome: string; readonly events: readonly RunEvent[]; readonly summary: TrafficSummary; readonly report: string };

/** What the clocks say: the users' own of their operations, and the journal's of verdicts and undo. All on one machine. */
export function figuresOf({ story, outcome, events, summary, report }: Measured): Figures {
  const first = summary.firstFailedAt;
  const acted = events.find((event) => event.kind === "withdrawn" || event.kind === "tripped" || event.kind === "held");
  const actedAt = acted === undefined ? undefined : Date.parse(acted.at);
  const back = events.find((event) => event.kind === "confirming");
  const window = (name: string) => summary.windows.find((one) => one.name === name)?.latency.p99 ?? null;
  return {
    name: story,
    outcome,
    operations: summary.operations,
    failed: summary.failed,
    planted: summary.planted,
    ambiguous: summary.ambiguous,
    tripMs: first === null || actedAt === undefined ? null : Math.round(actedAt - first),
    lastFailureMs: first === null || summary.lastFailedAt === null ? null : Math.round(summary.lastFailedAt - first),
    undoMs: actedAt === undefined || back === undefined ? null : Math.round(Date.parse(back.at) - actedAt),
    lost: summary.lost,
    rowsLost: summary.leverageLost,
    latency: { beforeP99: window("before"), duringP99: window("during") },
    report,
    summary,
  };
}
