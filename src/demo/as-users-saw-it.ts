import type { Figures } from "./stories/story.ts";
import type { Counts } from "./traffic/tally.ts";

/** The section of the report that users' own client wrote: every operation was followed to its final state. */
export function asUsersSawIt(figures: Figures, fault: string): string {
  const { summary } = figures;
  const utc = (ms: number | null) => (ms === null ? "-" : new Date(ms).toISOString());
  return [
    "## As the users saw it",
    [
      `- Fault of this story: ${fault}`,
      `- ${summary.operations} operations; ${summary.failed} failed (${summary.ambiguous} of them without an answer), and ${summary.planted} more that their own seed planted`,
      `- Impact window: ${utc(summary.firstFailedAt)} to ${utc(summary.lastFailedAt)} (UTC)`,
      `- ${summary.ordersChecked} orders compared with the venue at the end: ${summary.lost} lost, ${summary.unchecked} without an answer; metadata that users wrote: ${summary.leverage.checked} rows compared, ${summary.leverageLost} lost`,
      `- Of the ambiguous ones, asked later: ${summary.ambiguousResolved.landed} had landed, ${summary.ambiguousResolved.notLanded} had not`,
      `- Latency: p50 ${summary.latency.p50} ms, p99 ${summary.latency.p99} ms, slowest ${summary.latency.max} ms`,
      ...summary.lostOrders.map(
        (order) =>
          `- **Lost**: ${order.clOrdId} of ${order.uid} on ${order.instId}: ${order.reason}; expected ${order.expected}, found ${order.found}`,
      ),
    ].join("\n"),
    table("operation", summary.byKind),
    table("region", summary.byRegion),
    table("release", summary.byRelease),
    table("cohort", summary.byCohort),
  ].join("\n\n");
}

function table(what: string, rows: Readonly<Record<string, Counts>>): string {
  const lines = Object.entries(rows)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, counts]) => `| ${name} | ${counts.ops} | ${counts.failed} | ${counts.ambiguous} | ${counts.rejected} |`,
    );
  return [
    `| ${what} | operations | failed | of these ambiguous | rejected on their merits |`,
    "|---|---:|---:|---:|---:|",
    ...lines,
  ].join("\n");
}
