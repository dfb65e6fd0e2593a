import type { MetadataState, MigrationReport, WorkloadState } from "../graph/observation.ts";
import type { Graph } from "../graph/graph.ts";
import type { Clearance } from "./clearance.ts";
import type { ProbeFill } from "../guard/probe-fill.ts";
import type { ProofResult } from "../guard/proof.ts";
import type { UnlistedCode } from "../guard/unlisted.ts";
import type { Verdict } from "../guard/verdict.ts";

/** Something that happened. `at` is ms since the epoch, read once by whoever reports it and never again. */
export type Fact = { readonly at: number } & (
  | Opened
  /** A conductor picked the run up: at its start with the first epoch, later as a resume. */
  | {
      readonly kind: "conductor-started";
      readonly epoch: number;
      readonly host: string;
      readonly pid: number;
      readonly version: string;
      /** Leases that could not be had, because their region did not answer: each is taken before anything is written there. */
      readonly unheld?: readonly string[];
      /** Replaces what the run was opened with. */
      readonly clearance?: Clearance;
    }
  | { readonly kind: "effect-done"; readonly id: string; readonly result: EffectResult }
  | { readonly kind: "effect-failed"; readonly id: string; readonly failure: Failure }
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  /** A look at a workload that nobody ordered: something differs from the last look. */
  | { readonly kind: "sighted"; readonly component: string; readonly state: WorkloadState }
  | {
      readonly kind: "asked";
      readonly what: "halt" | "undo" | "approve" | "refuse" | "leave";
      readonly by: string;
      readonly because?: string;
    }
  | { readonly kind: "undelivered"; readonly notifier: string; readonly notification: string; readonly why: string }
  | { readonly kind: "delivered"; readonly notifier: string; readonly notification: string }
  /** How users fared, for the report: cumulative counts from the counters, and codes that no class rule names. Changes no decision. */
  | { readonly kind: "tally"; readonly failures: readonly TallyRow[]; readonly unlisted?: readonly UnlistedCode[] }
  /** Somebody traded with a probe order, and what became of what it bought. Changes no decision. */
  | { readonly kind: "probe-filled"; readonly fill: ProbeFill }
);

export type TallyRow = {
  readonly operation: string;
  readonly region: string;
  readonly release: string;
  readonly cohort: string;
  readonly code: string;
  readonly count: number;
};

/** The first fact of every run. */
export type Opened = {
  readonly kind: "opened";
  readonly run: string;
  readonly graph: Graph;
  readonly planFingerprint: string;
  readonly graphFingerprint: string;
  readonly version: string;
  readonly epoch: number;
  /** Absent where the environment asks for no certificate, and in journals older than certificates. */
  readonly clearance?: Clearance;
};

export type EffectResult =
  | { readonly kind: "workload"; readonly state: WorkloadState }
  | { readonly kind: "metadata"; readonly state: MetadataState }
  | { readonly kind: "weighed" }
  | { readonly kind: "migrated"; readonly state: MetadataState; readonly reports: readonly MigrationReport[] }
  | { readonly kind: "verified" }
  | { readonly kind: "proof"; readonly result: ProofResult }
  | { readonly kind: "evidence"; readonly verdict: Verdict }
  | { readonly kind: "elapsed" }
  | { readonly kind: "ran"; readonly output: string; readonly ms: number };

/** Why an effect did not come true. `unreachable`: nobody answered, so whether it came true is unknown until it is looked at. */
export type Failure = {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** `again`: may pass by itself. `unreachable`: hold and look. `foreign`: somebody else changed the world. `fenced`: a newer conductor acts. `final`: will not pass. */
  readonly nature: "again" | "unreachable" | "foreign" | "fenced" | "final";
};

export type FactOf<Kind extends Fact["kind"]> = Extract<Fact, { readonly kind: Kind }>;
