import type { Clearance } from "../engine/clearance.ts";
import type { StreamReading, VerdictState } from "../guard/verdict.ts";

/** Version of this stream. A reader may meet new kinds and new fields within a major version, and shows `message` of kinds it does not know. */
export const STREAM_VERSION = "1.0";

type Stem = {
  /** UTC, to the millisecond. */
  readonly at: string;
  readonly run: string;
  /** Number of the journal record it follows from; absent for what is not journaled. */
  readonly seq?: number;
  /** One sentence for people. */
  readonly message: string;
};

/** What the world may know of a run: stable, versioned, secrets left out. */
export type RunEvent = Stem &
  (
    | {
        readonly kind: "run-opened";
        readonly plan: string;
        readonly environment: string;
        readonly class: string;
        readonly moves: number;
        readonly planFingerprint: string;
        /** Absent where the environment asks for no certificate. */
        readonly clearance?: Clearance;
      }
    | {
        readonly kind: "run-resumed";
        readonly epoch: number;
        readonly host: string;
        /** Leases that could not be had, because their region did not answer. */
        readonly unheld?: readonly string[];
      }
    | { readonly kind: "before-recorded"; readonly components: readonly string[] }
    | { readonly kind: "gate-waiting"; readonly move: string }
    | { readonly kind: "evidence"; readonly move: string }
    | { readonly kind: "move-started"; readonly move: string; readonly step: number; readonly title: string }
    | { readonly kind: "move-done"; readonly move: string; readonly ms: number }
    | {
        readonly kind: "verdict";
        readonly state: VerdictState;
        readonly reason: string;
        readonly regions: readonly string[];
      }
    | { readonly kind: "withdrawn"; readonly regions: readonly string[] }
    | { readonly kind: "held"; readonly why: string }
    | { readonly kind: "tripped"; readonly cause: string }
    | { readonly kind: "undo-step"; readonly what: string; readonly stage: string }
    /** An undo goes around a place that cannot be reached, or that refuses to go back. */
    | { readonly kind: "place-away"; readonly place: string; readonly why: string }
    /** It went back with the others. */
    | { readonly kind: "place-back"; readonly place: string }
    | { readonly kind: "undone"; readonly moves: readonly string[] }
    | { readonly kind: "backup-started"; readonly backup: string }
    | { readonly kind: "confirming" }
    | { readonly kind: "attempt-failed"; readonly effect: string; readonly code: string; readonly hint: string }
    | { readonly kind: "asked"; readonly what: string; readonly by: string }
    | { readonly kind: "undelivered"; readonly notifier: string }
    /** Somebody traded with a probe order of the guard. */
    | {
        readonly kind: "probe-filled";
        readonly region: string;
        readonly order: string;
        readonly state: "selling" | "sold" | "kept";
      }
    | { readonly kind: "halted"; readonly code: string; readonly why: string }
    | { readonly kind: "ended"; readonly outcome: string }
    | {
        readonly kind: "pulse";
        readonly operationsPerSec: number;
        readonly failed: number;
        readonly streams: readonly StreamReading[];
        /** How late probes were sent over the last 10 s, 99 % of them at most. Absent where nobody probes. */
        readonly probeLagP99Ms?: number;
      }
  );

export type RunEventOf<Kind extends RunEvent["kind"]> = Extract<RunEvent, { readonly kind: Kind }>;
