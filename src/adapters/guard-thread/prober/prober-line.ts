import type { ProbeFill } from "../../../guard/probe-fill.ts";
import type { ProofResult } from "../../../guard/proof.ts";
import type { ProbeSchedule } from "../../../ports/watcher.ts";
import type { ProbeOutcome } from "../probe-outcome.ts";

/**
 * What a prober prints, several times a second. Everything in it stands until it changes: sums are counted since the prober began, so that a line
 * that is lost takes nothing with it. Times are its own, monotonic ms.
 */
export type ProberLine = {
  readonly kind: "probes";
  /** One life of the process. */
  readonly boot: string;
  /** 0, 1, 2, … */
  readonly seq: number;
  readonly at: number;
  /** The last order that it read, and when. */
  readonly order?: { readonly session: string; readonly number: number; readonly readAt: number };
  /** What was issued between these has ended, and is in the sums. */
  readonly from: number;
  readonly to: number;
  /** Those that have grown since the line before. */
  readonly sums: readonly (readonly [key: SumKey, count: number])[];
  /** All sums are in this line. */
  readonly isWhole?: true;
  /** Why operations were not tried. */
  readonly silent?: readonly (readonly [operation: string, why: string])[];
  readonly fills?: readonly ProbeFill[];
  readonly leaving?: readonly string[];
  readonly schedule?: ProbeSchedule;
  /** Until they are no longer ordered. */
  readonly proofs?: readonly { readonly id: string; readonly result: ProofResult }[];
  /** Nothing is tried: no order has come for a while. */
  readonly isIdle?: true;
  /** It cannot begin as it was set up. */
  readonly refused?: { readonly code: string; readonly message: string; readonly hint: string };
};

/** What is counted. `target`: the instance that it was pinned to. */
export type SumKey =
  | (Probed & { readonly kind: "sample"; readonly isSlow?: true; readonly isPassedOver?: true })
  | (Probed & { readonly kind: "proof"; readonly target: string })
  | { readonly kind: "farewell"; readonly instance: string; readonly operation: string; readonly code: string };
type Probed = { readonly outcome: ProbeOutcome; readonly cohort: string; readonly target?: string };

/** Undefined: some other text, such as a warning of Node's, or the half of a line. */
export const readLine = (text: string): ProberLine | undefined => {
  try {
    const given = JSON.parse(text) as Partial<ProberLine> | null;
    const isLine =
      given?.kind === "probes" &&
      typeof given.boot === "string" &&
      [given.seq, given.at, given.from, given.to].every((number) => Number.isFinite(number)) &&
      Array.isArray(given.sums);
    return isLine ? (given as ProberLine) : undefined;
  } catch {
    return undefined;
  }
};
