import type { Operation, PlanGuard } from "../plan/model.ts";
import { freshComparison, type Comparison } from "./comparison.ts";
import type { CountBin, Source } from "./count.ts";
import { promisedBy, type Promised } from "./detector/promise.ts";
import { freshFamily, type Family } from "./family.ts";
import { noContact, type Contact, type Instance, type Reach } from "./loss.ts";
import type { Blind, Sight } from "./sight.ts";
import { freshEvidence, type Evidence, type Stratum } from "./strata.ts";
import type { Baseline } from "./stated.ts";
import { freshUsual, type Usual } from "./usual.ts";
import type { StreamReading, Verdict } from "./verdict.ts";
import type { Window } from "./window.ts";

export type JudgeSettings = {
  /** Each must have fresh outcomes, and health of its own. */
  readonly strata: readonly Stratum[];
  /** Regions that have probes. */
  readonly probed: readonly string[];
  readonly hasCounters: boolean;
  /** Regions in which users' operations are counted. */
  readonly counted: readonly string[];
  /** Region without probes → how long its live sources may have no outcome, ms. */
  readonly silentAfterMs: Readonly<Record<string, number>>;
  /** Regions whose live source does not count our own probes. */
  readonly uncounted: readonly string[];
  readonly baselinePct: number;
  readonly p0: number;
  /** How seldom a false alarm may come. */
  readonly promised: Promised;
  readonly suspectForMs: number;
  /** How long an operation may be under way, ms. */ readonly deadlineMs: number;
  readonly budget: number;
};

export type Change =
  | { readonly kind: "none" }
  | {
      readonly kind: "metadata" | "instances";
      readonly at: number;
      readonly component: string;
      /** For sentences, of what is no metadata: `new instances of prices`. */
      readonly what?: string;
      readonly regions: readonly string[];
    };

/** What the watcher's port calls a mark. `start` says that nothing was changed: only evidence of health starts again. `back`: every change is taken back. */
export type MarkCause =
  | { readonly kind: "start" }
  | { readonly kind: "back" }
  | { readonly kind: "metadata"; readonly component: string }
  | { readonly kind: "behind"; readonly component: string; readonly what: string }
  | { readonly kind: "instances"; readonly component: string; readonly regions: readonly string[] };

export type JudgeInput =
  | CountBin
  | Reach
  | Sight
  | { readonly kind: "tick"; readonly at: number }
  | { readonly kind: "mark"; readonly at: number; readonly cause: MarkCause }
  | { readonly kind: "instances"; readonly at: number; readonly instances: readonly Instance[] }
  /** Why a stratum has no outcomes, for the sentence: our probes are limited, or their keys refused. */
  | {
      readonly kind: "silent";
      readonly at: number;
      readonly operation: Operation;
      readonly region: string;
      readonly why: string;
    };

/** What stands in the way of `healthy`. */
export type Latch =
  /** No evidence yet. */
  | {
      readonly kind: "unproved";
      readonly since: number;
      readonly reason: string;
      readonly regions: readonly string[];
      /** A live source sees nothing: another reason of that kind is news. */
      readonly isBlind?: boolean;
    }
  | { readonly kind: "disturbed"; readonly since: number; readonly reason: string; readonly regions: readonly string[] }
  /** `sources`: who saw it; only they can clear it. */
  | {
      readonly kind: "suspect";
      readonly since: number;
      readonly reason: string;
      readonly regions: readonly string[];
      readonly sources: readonly Source[];
      /** The alarm came again, from nothing. */
      readonly isRepeated?: true;
    }
  | { readonly kind: "failing"; readonly since: number; readonly reason: string; readonly regions: readonly string[] };

export type FamilyName = "new" | "old" | "all";

export type JudgeState = {
  readonly settings: JudgeSettings;
  readonly startedAt: number;
  readonly at: number;
  readonly change: Change;
  /** When everything was taken back: operations issued before met what is gone now. */
  readonly backAt: number;
  readonly families: Readonly<Record<FamilyName, Family>>;
  /** Alarms that wait for a look at who is still there. */
  readonly pending?: {
    readonly since: number;
    readonly crossed: readonly FamilyName[];
    readonly sources: readonly Source[];
  };
  /** Times of steps that extra mass was injected for. */
  readonly steps: readonly number[];
  readonly window: Window;
  readonly latch: Latch | undefined;
  /** New against old. */
  readonly comparison: Comparison;
  readonly usual: Usual;
  /** What failed before the first change. */
  readonly baseline: Baseline;
  readonly evidence: Evidence;
  /** Evidence that new instances are well, since they were suspected, by source. */
  readonly clearing: Readonly<Record<Source, Evidence>> | undefined;
  readonly lastOutcome: Readonly<Record<string, number>>;
  readonly silence: Readonly<Record<string, { readonly at: number; readonly why: string }>>;
  readonly readings: ReadonlyMap<string, StreamReading>;
  /** User operations that failed since the last change: on new instances, and anywhere. */
  readonly spent: { readonly fresh: number; readonly all: number };
  readonly instances: readonly Instance[];
  /** Those of them that were met: they did as they were asked, asked for themselves. */
  readonly met: ReadonlySet<string>;
  readonly contact: Contact;
  readonly blind: Blind;
  readonly lost: readonly { readonly region: string; readonly since: number }[];
  /** Latest loss of a region, also after its return. */
  readonly lossAt: number;
  readonly verdict: Verdict;
};

/** A region as the judge needs to know it. */
export type JudgedRegion = {
  readonly region: string;
  readonly isProbed: boolean;
  /** Where nobody probes: how long its live sources may have no outcome before that is silence. Default 1 s. */
  readonly silentAfterMs?: number;
  /** False: what users do there is counted without our own probes. Default true. */
  readonly countsProbes?: boolean;
  /** Whether users' operations are counted there. Default: whether instances have counters. */
  readonly isCounted?: boolean;
};

export const settingsOf = (guard: PlanGuard, regions: readonly JudgedRegion[], hasCounters: boolean): JudgeSettings => {
  const probed = regions.filter(({ isProbed }) => isProbed).map(({ region }) => region);
  return {
    strata: regions.flatMap(({ region }) => guard.operations.map((operation) => ({ operation, region }))),
    probed,
    hasCounters,
    counted: regions.filter(({ isCounted = hasCounters }) => isCounted).map(({ region }) => region),
    silentAfterMs: Object.fromEntries(
      regions.flatMap(({ region, silentAfterMs }) =>
        silentAfterMs === undefined ? [] : [[region, silentAfterMs] as const],
      ),
    ),
    uncounted: regions.filter(({ countsProbes }) => countsProbes === false).map(({ region }) => region),
    baselinePct: guard.baselineAtMostPct,
    p0: Math.min(0.5, Math.max(guard.baselineAtMostPct / 100, 1e-6)),
    promised: promisedBy(guard.falseAlarmEveryMs / 1000),
    suspectForMs: guard.suspectForMs,
    deadlineMs: guard.deadlineMs,
    budget: guard.budgetFailedOperations ?? Infinity,
  };
};

export const startJudging = (settings: JudgeSettings, at: number): JudgeState => ({
  settings,
  startedAt: at,
  at,
  change: { kind: "none" },
  backAt: -Infinity,
  families: { new: freshFamily, old: freshFamily, all: freshFamily },
  steps: [],
  window: [],
  latch: { kind: "unproved", since: at, reason: NOT_YET, regions: [] },
  comparison: freshComparison,
  usual: freshUsual,
  baseline: {},
  evidence: freshEvidence(at),
  clearing: undefined,
  lastOutcome: {},
  silence: {},
  readings: new Map(),
  spent: { fresh: 0, all: 0 },
  instances: [],
  met: new Set(),
  contact: noContact,
  blind: {},
  lost: [],
  lossAt: -Infinity,
  verdict: { state: "unknown", reason: NOT_YET, regions: [], at, streams: [] },
});

const NOT_YET = "no evidence of health yet";
