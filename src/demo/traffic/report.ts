import type { Counts, Latency, StreamCounts } from "./tally.ts";
import type { Settlement } from "./settle.ts";

/** Printed every `reportEveryMs`. Counts are cumulative; `last` and `byStream` are since the report before. */
export type TrafficReport = {
  readonly kind: "traffic";
  /** ms since the epoch. */
  readonly at: number;
  /** Operations per second since the report before. */
  readonly perSec: number;
  readonly p50: number;
  readonly p99: number;
  /** Operations sent and not yet decided. */
  readonly inFlight: number;
  readonly last: Counts & Latency;
  readonly byStream: readonly StreamCounts[];
} & Counts;

/** A named part of the run, from its mark to the next one. */
export type MarkedWindow = Counts & {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly latency: Latency;
  readonly byRelease: Readonly<Record<string, Counts>>;
};

/** Printed once, at the end. */
export type TrafficSummary = {
  readonly kind: "traffic-summary";
  readonly operations: number;
  readonly failed: number;
  readonly planted: number;
  readonly ambiguous: number;
  readonly rejected: number;
  /** Acknowledged amends and cancels that the order's state did not bear out; part of `failed`. */
  readonly stateWrong: number;
  readonly lost: number;
  readonly lostOrders: Settlement["lostOrders"];
  /** Orders about which the venue gave no answer at the end. */
  readonly unchecked: number;
  readonly ordersChecked: number;
  readonly leverage: { readonly set: number; readonly failed: number; readonly checked: number };
  readonly leverageLost: number;
  readonly leverageLostUids: readonly string[];
  /** Issue times of the first and the last failure, ms since the epoch; null where there is none. */
  readonly firstFailedAt: number | null;
  readonly lastFailedAt: number | null;
  readonly byKind: Readonly<Record<string, Counts>>;
  readonly byRegion: Readonly<Record<string, Counts>>;
  readonly byRelease: Readonly<Record<string, Counts>>;
  readonly byCohort: Readonly<Record<string, Counts>>;
  readonly byProtocol: Readonly<Record<string, Counts>>;
  /** Failures by code; planted ones apart. */
  readonly failedByCode: Readonly<Record<string, number>>;
  readonly plantedByCode: Readonly<Record<string, number>>;
  readonly latency: Latency;
  /** How late operations were issued, ms: a slow generator, not a slow venue. */
  readonly scheduleLag: { readonly p99: number; readonly max: number };
  readonly ambiguousResolved: Settlement["ambiguousResolved"];
  readonly windows: readonly MarkedWindow[];
  readonly startedAt: number;
  readonly stoppedAt: number;
  readonly settleMs: number;
  /** Resting orders that could not be cancelled. */
  readonly left: number;
  /** Share of one core that this process used while traffic ran. */
  readonly cpuShare: number;
};
