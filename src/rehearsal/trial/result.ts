import type { GroundFacts, LoadMeasure, Part, TracedRun } from "../../ports/trials.ts";

/** What migrations did on clones of the demo store, and what speaks against them. Plain data: it goes into reports and the certificate. */
export type TrialResult = {
  readonly store: string;
  readonly ground: GroundFacts;
  /** How long each clone took to make. */
  readonly cloneMs: readonly number[];
  readonly migrations: readonly TriedMigration[];
  readonly asked: readonly AskedState[];
  readonly loads: readonly TriedLoad[];
  readonly findings: readonly TrialFinding[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
  readonly ms: number;
};

export type TriedMigration = {
  readonly name: string;
  readonly up: TracedRun;
  readonly down?: TracedRun;
  readonly again?: TracedRun;
};

/** A release's statements in one state of the metadata. `after` undefined: before the first migration. */
export type AskedState = {
  readonly after?: string;
  readonly direction: Part;
  readonly component: string;
  readonly release: string;
  readonly statements: number;
  readonly samples: number;
  readonly broken: number;
};

export type TriedLoad = LoadMeasure & {
  readonly step: string;
  readonly direction: Part;
  readonly names: readonly string[];
  readonly releases: readonly string[];
};

export type Severity = "block" | "warn";

/** `rule` is the lint table's id where it has one. `statement` 0: the file as a whole; `line` 0: no line. */
export type TrialFinding = {
  readonly rule: TrialRule;
  readonly severity: Severity;
  /** Undefined: it was so before the first migration. */
  readonly migration?: string;
  readonly file: string;
  readonly line: number;
  readonly statement: number;
  readonly message: string;
  /** What to do instead. */
  readonly hint: string;
  readonly broken?: BrokenStatement;
};

/** A statement of a release that the metadata no longer serves. */
export type BrokenStatement = {
  readonly component: string;
  readonly release: string;
  readonly statement: string;
  readonly column?: string;
  /** Who is concerned; nothing where it is everybody. */
  readonly cohorts: readonly string[];
};

export type TrialRule =
  | "type-change-rewrite"
  | "volatile-default-rewrite"
  | "stored-generated-or-serial"
  | "table-wide-maintenance"
  | "truncate-or-drop-container"
  | "table-rewritten"
  | "ddl-after-exclusive-lock"
  | "lock-timeout-not-in-effect"
  | "concurrent-in-transaction"
  | "concurrent-index-not-checked"
  | "trigger-on-hot-table"
  | "rename-or-set-schema"
  | "drop-column-or-table"
  | "drop-other-object"
  | "required-column"
  | "new-rule-for-old-writers"
  | "enum-changed"
  | "enum-add-then-use"
  | "result-shape-changed"
  | "rights-removed"
  | "rows-out-of-reach"
  | "row-count-changed"
  | "statement-broken"
  | "sample-hits-nothing"
  | "data-dependent"
  | "statement-fails"
  | "verify-fails"
  | "irreversible-down"
  | "not-repeatable"
  | "order-load-failed"
  | "order-load-unproven"
  | "order-load-stuck";

export const isRefused = ({ findings }: Pick<TrialResult, "findings">): boolean =>
  findings.some(({ severity }) => severity === "block");
