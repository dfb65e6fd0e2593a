import type { Severity } from "./finding.ts";

/** `lint`: from the text alone. `trial`: by running it on a clone. `runner`: midflight itself sees to it, or refuses. */
export type DecidedBy = "lint" | "trial" | "runner";

type Entry = {
  readonly severity: Severity;
  readonly decidedBy: readonly DecidedBy[];
  /** What it is about, in one line. */
  readonly catches: string;
  /** Nobody can allow what the runner or PostgreSQL refuses anyway. */
  readonly isFixed?: true;
};

/** Every rule for migrations: first those against blocked orders, then against breaking the running release, then against lost data and half-done work. */
export const RULES = {
  "lock-timeout-missing": {
    severity: "block",
    decidedBy: ["runner", "lint"],
    catches: "a lock waited for so long that users queue behind it; midflight waits 100 ms unless the file says more",
  },
  "statement-timeout-missing": {
    severity: "warn",
    decidedBy: ["runner", "lint"],
    catches: "a file that takes midflight's statement_timeout away",
  },
  "lock-timeout-too-short-for-concurrent": {
    severity: "block",
    decidedBy: ["runner", "lint"],
    catches: "a lock_timeout below 120 s in a file with CONCURRENTLY",
  },
  "lock-timeout-not-in-effect": {
    severity: "block",
    decidedBy: ["lint"],
    catches: "a file that takes midflight's lock_timeout away, or sets one that never holds",
  },
  "index-not-concurrent": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "CREATE INDEX on a table in use",
  },
  "drop-index-not-concurrent": {
    severity: "warn",
    decidedBy: ["lint", "trial"],
    catches: "DROP INDEX without CONCURRENTLY",
  },
  "reindex-not-concurrent": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "REINDEX without CONCURRENTLY",
  },
  "detach-partition-not-concurrent": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "DETACH PARTITION without CONCURRENTLY",
  },
  "concurrent-in-transaction": {
    severity: "block",
    decidedBy: ["lint"],
    catches: "a statement that cannot run in a transaction, in a file that is one",
    isFixed: true,
  },
  "concurrent-index-not-checked": {
    severity: "block",
    decidedBy: ["runner", "lint"],
    catches: "an index built CONCURRENTLY whose validity neither midflight nor the verify file can look up",
  },
  "type-change-rewrite": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "ALTER COLUMN TYPE that writes every row anew; where the old type is unknown, the trial decides",
  },
  "volatile-default-rewrite": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "ADD COLUMN with a default that differs from row to row",
  },
  "stored-generated-or-serial": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "ADD COLUMN that is stored, serial or identity",
  },
  "set-not-null-scan": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "SET NOT NULL without a validated constraint that proves it",
  },
  "constraint-not-valid-missing": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "FOREIGN KEY or CHECK added together with its validation",
  },
  "validate-in-same-tx": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "VALIDATE while the lock of its ADD is still held",
  },
  "unique-or-pk-inline": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "UNIQUE or PRIMARY KEY that builds its index under the lock",
  },
  "exclusion-constraint": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "an EXCLUDE constraint on a table in use",
  },
  "ddl-after-exclusive-lock": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "rows written, or another table locked, while a table in use is locked against everybody",
  },
  "lock-order-vs-app": {
    severity: "warn",
    decidedBy: ["lint", "trial"],
    catches: "two tables in use locked one after the other, or a lock made stronger, in one transaction",
  },
  "table-wide-maintenance": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "VACUUM FULL, CLUSTER, LOCK TABLE, REFRESH without CONCURRENTLY, a move of the whole table",
  },
  "trigger-on-hot-table": {
    severity: "warn",
    decidedBy: ["lint", "trial"],
    catches: "CREATE TRIGGER on a table in use",
  },
  "rename-or-set-schema": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "a name that the running release uses and that is gone",
  },
  "drop-column-or-table": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "DROP of a column or table outside a contract phase",
  },
  "drop-other-object": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "DROP of a view, function, trigger, type or the like outside a contract phase",
  },
  "required-column": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "ADD COLUMN NOT NULL without a default",
  },
  "new-rule-for-old-writers": {
    severity: "block",
    decidedBy: ["trial"],
    catches: "a CHECK or NOT NULL that the old release's writes break",
  },
  "enum-changed": {
    severity: "warn",
    decidedBy: ["lint", "trial"],
    catches: "a value of an enum renamed, or added without a place",
  },
  "enum-add-then-use": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "a value of an enum used in the transaction that adds it",
  },
  "result-shape-changed": {
    severity: "warn",
    decidedBy: ["trial"],
    catches: "other columns or types for the old release's SELECT *",
  },
  "json-column": { severity: "warn", decidedBy: ["lint"], catches: "a column of type json" },
  "default-or-null-changed": {
    severity: "warn",
    decidedBy: ["lint"],
    catches: "another default, or NULL where there was none",
  },
  "rights-removed": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "REVOKE, row security or a dropped policy on something in use",
  },
  "domain-constraint": { severity: "warn", decidedBy: ["lint", "trial"], catches: "a constraint on a domain" },
  "truncate-or-drop-container": {
    severity: "block",
    decidedBy: ["lint"],
    catches: "TRUNCATE, DROP SCHEMA, DROP DATABASE, DROP OWNED",
  },
  "unbounded-write": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "UPDATE or DELETE of every row; a long one with WHERE shows in the trial",
  },
  "data-dependent": {
    severity: "warn",
    decidedBy: ["trial"],
    catches: "a unique index or NOT NULL that real rows may refuse",
  },
  "foreign-key-dropped": {
    severity: "warn",
    decidedBy: ["lint"],
    catches: "DROP CONSTRAINT of a foreign key, which locks both tables",
  },
  "not-rerunnable": {
    severity: "warn",
    decidedBy: ["lint"],
    catches: "a file without a transaction that cannot go on, or back, from its middle",
  },
  "opaque-sql": {
    severity: "block",
    decidedBy: ["lint", "trial"],
    catches: "SQL that is put together at run time, or a language that is not analysed",
  },
  "stray-transaction": {
    severity: "block",
    decidedBy: ["lint", "runner"],
    catches: "BEGIN, COMMIT, ROLLBACK and the like",
    isFixed: true,
  },
  "missing-down-or-verify": {
    severity: "block",
    decidedBy: ["runner"],
    catches: "a file of the trio that is missing (MIGRATION_INCOMPLETE)",
    isFixed: true,
  },
  "irreversible-down": {
    severity: "block",
    decidedBy: ["trial"],
    catches: "up and down that do not lead back to the same catalogue",
  },
  "history-rewritten": {
    severity: "block",
    decidedBy: ["runner"],
    catches: "an applied file that was edited, removed or overtaken (HISTORY_REWRITTEN)",
    isFixed: true,
  },
  "ignore-without-reason": {
    severity: "block",
    decidedBy: ["lint"],
    catches: "an allow that does not say why",
    isFixed: true,
  },
  "unused-ignore": {
    severity: "warn",
    decidedBy: ["lint"],
    catches: "an allow of something that is not found, or of an unknown rule",
    isFixed: true,
  },
  "identifier-too-long": { severity: "warn", decidedBy: ["lint"], catches: "a name that is cut to 63 bytes" },
} as const satisfies Readonly<Record<string, Entry>>;

export type RuleId = keyof typeof RULES;

export const isRule = (name: string): name is RuleId => Object.hasOwn(RULES, name);
export const ruleOf = (rule: RuleId): Entry => RULES[rule];
