import type { Histogram } from "./histogram.ts";
import type { Outcome } from "./outcome.ts";
import { isFailure } from "./outcome.ts";
import type { MarkedWindow, TrafficReport, TrafficSummary } from "./report.ts";
import type { Settlement } from "./settle.ts";
import { createTally } from "./tally.ts";
import type { Counts, Tally } from "./tally.ts";

/** Everything that is counted in a run. */
export type TrafficRecord = {
  readonly startedAt: number;
  add(outcome: Outcome): void;
  addLeverage(isFailed: boolean): void;
  mark(name: string): void;
  counts(): Counts;
  /** Starts a new "last" window. */
  report(inFlight: number): TrafficReport;
  summary(end: SummaryParts): TrafficSummary;
};

export type SummaryParts = {
  readonly settlement: Settlement;
  readonly stoppedAt: number;
  readonly cpuShare: number;
  readonly lag: Histogram;
};

export const createRecord = (): TrafficRecord => {
  const startedAt = Date.now();
  const total = createTally();
  const last = createTally();
  const windows: { readonly name: string; readonly from: number; to: number; readonly tally: Tally }[] = [];
  const failedByCode = new Map<string, number>();
  const plantedByCode = new Map<string, number>();
  const leverage = { set: 0, failed: 0 };
  let stateWrong = 0;
  let lastReportAt = performance.now();
  let firstFailedAt: number | null = null;
  let lastFailedAt: number | null = null;
  return {
    startedAt,
    add(outcome) {
      total.add(outcome);
      last.add(outcome);
      // An operation belongs to the window in which it was issued.
      windows.findLast((window) => outcome.at >= window.from)?.tally.add(outcome);
      if (outcome.class === "planted") bump(plantedByCode, outcome.code);
      if (outcome.code === "state-wrong") stateWrong++;
      if (!isFailure(outcome.class)) return;
      bump(failedByCode, outcome.code);
      firstFailedAt = Math.min(firstFailedAt ?? outcome.at, outcome.at);
      lastFailedAt = Math.max(lastFailedAt ?? outcome.at, outcome.at);
    },
    addLeverage(isFailed) {
      leverage.set++;
      if (isFailed) leverage.failed++;
    },
    mark(name) {
      const from = Date.now();
      const open = windows.at(-1);
      if (open !== undefined) open.to = from;
      windows.push({ name, from, to: 0, tally: createTally() });
    },
    counts: () => total.counts(),
    report(inFlight) {
      const now = performance.now();
      const since = last.counts();
      const { p50, p99 } = total.latency();
      const report: TrafficReport = {
        kind: "traffic",
        at: Date.now(),
        ...total.counts(),
        perSec: Math.round((since.ops * 1_000) / Math.max(1, now - lastReportAt)),
        p50,
        p99,
        inFlight,
        last: { ...since, ...last.latency() },
        byStream: last.streams(),
      };
      last.clear();
      lastReportAt = now;
      return report;
    },
    summary({ settlement, stoppedAt, cpuShare, lag }) {
      const { ops, ...counts } = total.counts();
      const windowed = windows.map(({ name, from, to, tally }): MarkedWindow => ({
        name,
        from,
        to: to === 0 ? stoppedAt : to,
        ...tally.counts(),
        latency: tally.latency(),
        byRelease: tally.by((outcome) => outcome.release),
      }));
      return {
        kind: "traffic-summary",
        operations: ops,
        ...counts,
        stateWrong,
        lost: settlement.lostOrders.length,
        lostOrders: settlement.lostOrders,
        unchecked: settlement.unchecked,
        ordersChecked: settlement.orders - settlement.unchecked,
        leverage: { ...leverage, checked: settlement.leverageChecked },
        leverageLost: settlement.leverageLost.length,
        leverageLostUids: settlement.leverageLost,
        firstFailedAt,
        lastFailedAt,
        byKind: total.by((outcome) => outcome.op),
        byRegion: total.by((outcome) => outcome.region),
        byRelease: total.by((outcome) => outcome.release),
        byCohort: total.by((outcome) => outcome.cohort),
        byProtocol: total.by((outcome) => outcome.protocol),
        failedByCode: Object.fromEntries(failedByCode),
        plantedByCode: Object.fromEntries(plantedByCode),
        latency: total.latency(),
        scheduleLag: { p99: lag.quantile(0.99), max: lag.max() },
        ambiguousResolved: settlement.ambiguousResolved,
        windows: windowed,
        startedAt,
        stoppedAt,
        settleMs: settlement.ms,
        left: settlement.left,
        cpuShare,
      };
    },
  };
};

const bump = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
