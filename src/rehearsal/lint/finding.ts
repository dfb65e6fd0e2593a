import type { Opinion } from "../../ports/second-opinion.ts";
import type { LockMode, SqlName, SqlStatement } from "../../ports/sql-reader.ts";
import type { Migration } from "../../plan/model.ts";
import type { RuleId } from "./rules.ts";

/** A block keeps the plan from passing `check`; a warning is shown. */
export type Severity = "block" | "warn";

/** What a rule has against a statement, with its place. */
export type Finding = {
  /** Ours, or `squawk:` and the name that squawk gives it. */
  readonly rule: RuleId | `squawk:${string}`;
  readonly severity: Severity;
  /** As the user named it. */
  readonly file: string;
  /** 1-based; the column counts characters, and `length` how many of them. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The line itself, where it is short enough for people. */
  readonly source?: string;
  /** The facts. */
  readonly message: string;
  readonly lock?: Lock;
  /** The safe alternative, as an order. */
  readonly instead: string;
  /** 1-based number of the statement in its file. 0 where no statement is meant. */
  readonly statement: number;
  /** Another linter says the same. */
  readonly alsoBy?: "squawk";
};
export type Lock = { readonly mode: LockMode; readonly table?: SqlName };

export type Part = "up" | "verify" | "down";
/** One file of a migration, parsed. */
export type LintFile = {
  readonly file: string;
  readonly part: Part;
  readonly migration: Migration;
  readonly text: string;
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
  readonly statements: readonly SqlStatement[];
};

/** Of another linter. */
export type Opinions = readonly Opinion[];

/** What a rule returns; the place is the statement's first line unless it knows better. */
export type Found = {
  readonly rule: RuleId;
  readonly message: string;
  readonly instead: string;
  readonly lock?: Lock;
  /** Where a rule is less sure than its severity. */
  readonly severity?: Severity;
  readonly at?: number;
  readonly end?: number;
};
