import { readFile } from "node:fs/promises";
import type { RunEvent } from "../events/event.ts";
import type { Figures, Story } from "./stories/story.ts";
import type { Outcome } from "./traffic/outcome.ts";
import type { TrafficSummary } from "./traffic/report.ts";

export type Measured = {
  readonly story: Story;
  readonly outcome: string;
  readonly text: string;
  readonly events: readonly RunEvent[];
  readonly summary: TrafficSummary;
  readonly report: string;
  /** File with every operation of the users, one a line. */
  readonly outcomes: string;
  /** When the fault struck, where that is known; ms since the epoch. */
  readonly struckAt?: number | undefined;
};

/** What the clocks say: the users' own of their operations, and the journal's of verdicts and undo. All on one machine. */
export async function figuresOf(measured: Measured): Promise<Figures> {
  const { story, events, summary } = measured;
  const openedAt = Date.parse(events.find((event) => event.kind === "run-opened")?.at ?? "");
  const failures = await failuresByFault(measured, openedAt);
  const first = failures[0];
  const last = failures.at(-1);
  const acted = events.find((event) => event.kind === "withdrawn" || event.kind === "tripped" || event.kind === "held");
  const actedAt = acted === undefined ? undefined : Date.parse(acted.at);
  const back = events.find((event) => event.kind === "confirming");
  const window = (name: string) => summary.windows.find((one) => one.name === name)?.latency.p99 ?? null;
  return {
    name: story.name,
    outcome: measured.outcome,
    text: measured.text,
    operations: summary.operations,
    failed: summary.failed,
    failedByFault: failures.length,
    planted: summary.planted,
    ambiguous: summary.ambiguous,
    tripMs: first === undefined || actedAt === undefined ? null : Math.round(actedAt - first.at),
    lastFailureMs: first === undefined || last === undefined ? null : Math.round(last.at - first.at),
    undoMs: actedAt === undefined || back === undefined ? null : Math.round(Date.parse(back.at) - actedAt),
    lost: summary.lost,
    rowsLost: summary.leverageLost,
    latency: { beforeP99: window("before"), duringP99: window("during") },
    report: measured.report,
    summary,
  };
}

/** In order of issue. What failed before the run began is nobody's doing here. */
async function failuresByFault({ story, outcomes, struckAt }: Measured, openedAt: number): Promise<readonly Outcome[]> {
  const lines = (await readFile(outcomes, "utf8")).split("\n").filter((line) => line !== "");
  return lines
    .map((line) => JSON.parse(line) as Outcome)
    .filter(({ class: kind, at }) => (kind === "failed" || kind === "ambiguous") && at >= openedAt)
    .filter((outcome) => story.isByFault(outcome, struckAt ?? openedAt))
    .toSorted((a, b) => a.at - b.at);
}
