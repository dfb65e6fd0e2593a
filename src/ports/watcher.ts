import type { CommandSource, Operation, PlanGuard, ProbeTarget, PrometheusSource } from "../plan/model.ts";
import type { ProbeFill } from "../guard/probe-fill.ts";
import type { ProofResult } from "../guard/proof.ts";
import type { Rules } from "../guard/rules.ts";
import type { UnlistedCode } from "../guard/unlisted.ts";
import type { StreamReading, Verdict } from "../guard/verdict.ts";

export type { ProofResult } from "../guard/proof.ts";

/** One account that probes trade with. `cohort` says whom it stands for. */
export type ProbeAccount = {
  readonly apiKey: string;
  readonly secret: string;
  readonly passphrase: string;
  readonly cohort: string;
};

/** Whom a probe over HTTP stands for, and the values of its placeholders. */
export type ProbeCohort = { readonly cohort: string; readonly values: Readonly<Record<string, string>> };

/** An instance that counters are read from, and that pinned probes are sent to. */
export type WatchedInstance = {
  readonly id: string;
  readonly component: string;
  readonly region: string;
  readonly release: string;
  /** Whether it runs what the run brings (`new`) or what was there (`old`). */
  readonly side: "new" | "old";
  /** Base URL of the instance itself. */
  readonly url: string;
  /** Whether users reach it (weight above 0). Withdrawn and dark ones are still probed. */
  readonly inTraffic: boolean;
};

export type WatchConfig = {
  readonly guard: PlanGuard;
  readonly regions: readonly {
    readonly region: string;
    readonly probe?: ProbeTarget;
    readonly accounts: readonly ProbeAccount[];
    /** Of a probe over HTTP, which has no accounts. */
    readonly cohorts?: readonly ProbeCohort[];
    /** What its probe's outcomes say. Default: okx-v5. */
    readonly rules?: Rules;
    /** Probed by a process of its own within the region: accounts and cohorts are known there alone. */
    readonly isRemote?: true;
  }[];
  /** `rules`: what their codes say. Default: okx-v5. */
  readonly counters?: { readonly path: string; readonly metric: string; readonly rules?: Rules };
  /** Where users are seen besides. Each tells of operations and regions of its own. */
  readonly sources?: readonly WatchedSource[];
  /** Prefix of client order ids, by which surveillance knows probes; letters and digits. */
  readonly orderPrefix: string;
  /** Where probes over HTTP write down what they leave open, a file for each region: a run that is resumed takes it back. */
  readonly left?: string;
  /** File that everything the guard is told is appended to, to be judged again later. What cannot be written is left out: judging goes on. */
  readonly record?: string;
};

/** A live source with everything that it needs. `id`: its name in this run, such as `sources[0]`. */
export type WatchedSource =
  | (Omit<PrometheusSource, "url" | "token" | "rules"> & {
      readonly id: string;
      /** Default: okx-v5. */
      readonly rules?: Rules;
      readonly url: string;
      readonly token?: string;
    })
  | (Omit<CommandSource, "rules"> & {
      readonly id: string;
      /** Default: okx-v5. */
      readonly rules?: Rules;
      readonly cwd: string;
      /** Added to the environment of this process. */
      readonly env: Readonly<Record<string, string>>;
    });

/** What the run has just changed: suspicion concentrates there, and old evidence of health no longer counts. */
export type Mark = {
  readonly id: string;
  readonly cause:
    | { readonly kind: "start" }
    /** Everything is taken back: no change is judged any more, and what was issued before says nothing about what stands now. */
    | { readonly kind: "back" }
    /** `metadata`: there is no old side to compare with; the same cohorts before the step are. */
    | { readonly kind: "metadata"; readonly component: string }
    /** What users' operations do not enter through, such as programs: the same cohorts before the step are compared with. `what`: for sentences. */
    | { readonly kind: "behind"; readonly component: string; readonly what: string }
    | { readonly kind: "instances"; readonly component: string; readonly regions: readonly string[] };
};

export type ProofOrder = {
  readonly id: string;
  readonly instances: readonly WatchedInstance[];
  /** Failure rates of this and more are excluded… */
  readonly excludePct: number;
  /** …with this confidence. */
  readonly confidencePct: number;
  readonly deadlineMs: number;
};

/** How well probes kept to their schedule over the last 10 s, in the region where they did worst. Missed slots count with the time by which they were missed. */
export type ProbeSchedule = {
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  /** Slots that were due, and those of them in which nothing was sent because this thread was held up. */
  readonly slots: number;
  readonly missed: number;
};

/** Totals for live views: cumulative since start. */
export type WatchPulse = {
  readonly at: number;
  readonly streams: readonly StreamReading[];
  readonly operationsPerSec: number;
  /** What was measured before the first change says about the stated baseline: that it does not hold, or that a better one would. */
  readonly baselineAdvice?: string;
  readonly failed: number;
  /** Live user failures by operation, region, release, cohort and code, cumulative: for the report. */
  readonly failures: readonly {
    readonly operation: Operation;
    readonly region: string;
    readonly release: string;
    readonly cohort: string;
    readonly code: string;
    readonly count: number;
  }[];
  /** Probe orders that somebody traded with. Absent: none. */
  readonly fills?: readonly ProbeFill[];
  /** Absent where nobody probes. */
  readonly schedule?: ProbeSchedule;
  /** Codes that no rule names, once each. Absent: none so far. */
  readonly unlisted?: readonly UnlistedCode[];
};

/**
 * Probes and counters, judged without pause in a thread of their own. Verdicts are pushed when they change.
 */
export interface Watcher {
  start(config: WatchConfig, on: { verdict(verdict: Verdict): void; pulse(pulse: WatchPulse): void }): Promise<void>;
  /** Replaces the set of instances that are watched. */
  instances(instances: readonly WatchedInstance[]): void;
  /** Tells of a change just made. Evidence of health starts again from here. */
  mark(mark: Mark): void;
  /**
   * Resolves with a `healthy` verdict once every required stratum (operation × region) has shown, on outcomes issued after the last mark,
   * that failure rates of `excludePct` and more are excluded with `confidencePct`. Waits for as long as it takes; rejects only when aborted.
   */
  evidence(
    need: { readonly excludePct: number; readonly confidencePct: number },
    signal: AbortSignal,
  ): Promise<Verdict>;
  /** Probes instances directly, before any user reaches them. */
  prove(order: ProofOrder, signal: AbortSignal): Promise<ProofResult>;
  /** Stops, and cancels every probe order that is still open. */
  stop(): Promise<void>;
}
