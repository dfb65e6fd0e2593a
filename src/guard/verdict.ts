import type { Operation } from "../plan/model.ts";

/**
 * What the guard says. `suspect`: new instances look worse, evidence still short: withdraw. `failing`: undo.
 * `disturbed`: everything is worse, old too: hold. `unknown`: no data; never healthy.
 */
export type VerdictState = "healthy" | "suspect" | "failing" | "disturbed" | "unknown";

export type Verdict = {
  readonly state: VerdictState;
  /** One sentence with counts, such as "amend in tokyo on gateway@2.1: 14 of 39 failed, 0 of 41 on gateway@2.0". */
  readonly reason: string;
  /** Regions in which it holds; empty means everywhere. */
  readonly regions: readonly string[];
  /** When it was reached, ms since the epoch (wall clock of the guard's thread). */
  readonly at: number;
  /** Said before the first change: more operations fail for certain than the plan states for health. Where, with counts. */
  readonly contradicts?: string;
  /** The streams behind it, for views and reports. */
  readonly streams: readonly StreamReading[];
};

/** One stream in the judged window: since the last mark. */
export type StreamReading = {
  readonly operation: Operation;
  readonly region: string;
  /** Release name, or "unknown" where the source cannot tell. */
  readonly release: string;
  readonly source: "probes" | "live";
  readonly issued: number;
  readonly failed: number;
  readonly state: VerdictState;
};
