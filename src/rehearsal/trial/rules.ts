import type { Severity, TrialRule } from "./result.ts";

/** How bad it is where nothing says otherwise, and what to do instead. */
export const RULES: Readonly<Record<TrialRule, { readonly severity: Severity; readonly hint: string }>> = {
  "type-change-rewrite": {
    severity: "block",
    hint: "add a column of the new type, write both, fill it in batches, then switch",
  },
  "volatile-default-rewrite": {
    severity: "block",
    hint: "add the column without default, set the default, fill old rows in batches",
  },
  "stored-generated-or-serial": {
    severity: "block",
    hint: "add a plain column and fill it in batches; there is no way to add this one while users trade",
  },
  "table-wide-maintenance": {
    severity: "block",
    hint: "do it in a way that leaves the table readable and writable, or outside of an upgrade",
  },
  "truncate-or-drop-container": { severity: "block", hint: "delete the rows that are meant, in batches" },
  "table-rewritten": { severity: "block", hint: "find what rewrites the table, and do it in batches" },
  "ddl-after-exclusive-lock": {
    severity: "block",
    hint: "make the statement that locks the last of its file, and move the others to files of their own",
  },
  "lock-timeout-not-in-effect": { severity: "block", hint: "take `lock_timeout` out of the file; midflight sets it" },
  "concurrent-in-transaction": {
    severity: "block",
    hint: "put `-- midflight: no-transaction` into the head of the up file",
  },
  "concurrent-index-not-checked": {
    severity: "block",
    hint: "let the verify file ask for `indisvalid`, and drop the invalid index before it is created again",
  },
  "trigger-on-hot-table": {
    severity: "warn",
    hint: "wait until every instance runs a release that knows the trigger, or let it accept what the old one writes",
  },
  "rename-or-set-schema": {
    severity: "block",
    hint: "add the new name, let both releases be served, and take the old one away in a contract step",
  },
  "drop-column-or-table": { severity: "block", hint: "drop it in a contract step, after the old release is gone" },
  "drop-other-object": { severity: "block", hint: "drop it in a contract step, after the old release is gone" },
  "required-column": {
    severity: "block",
    hint: "give the column a default, or let it be null until no old release writes",
  },
  "new-rule-for-old-writers": {
    severity: "block",
    hint: "add the rule in a contract step, after every instance runs the release that keeps it",
  },
  "enum-changed": { severity: "block", hint: "add values and never rename them while a release knows the old name" },
  "enum-add-then-use": { severity: "block", hint: "use the new value in a migration of its own" },
  "result-shape-changed": { severity: "warn", hint: "let the release name its columns, and their types with them" },
  "rights-removed": {
    severity: "block",
    hint: "grant what the release's role needs, and take it away in a contract step",
  },
  "rows-out-of-reach": {
    severity: "block",
    hint: "keep the rows where the release looks for them until no instance of it is left",
  },
  "row-count-changed": { severity: "warn", hint: "look whether the release bears more rows than before" },
  "statement-broken": {
    severity: "block",
    hint: "let every state of the metadata serve every release that the rollout passes through",
  },
  "sample-hits-nothing": {
    severity: "block",
    hint: "correct `params` of the statement in the release's statements.json: samples must hit rows of every cohort",
  },
  "data-dependent": {
    severity: "block",
    hint: "mend the rows first, in a migration of its own, and look for such rows in production before",
  },
  "statement-fails": { severity: "block", hint: "correct the statement" },
  "verify-fails": { severity: "block", hint: "correct the migration, or what its verify file asks for" },
  "irreversible-down": {
    severity: "block",
    hint: "mend the down file, or declare the step irreversible and give it a backup plan",
  },
  "not-repeatable": { severity: "block", hint: "let the down file leave nothing that the up file stumbles over" },
  "order-load-failed": {
    severity: "block",
    hint: "make the migration smaller, so that it holds its locks for less time than users wait",
  },
  "order-load-unproven": { severity: "block", hint: "rehearse on a machine with time for it" },
  "order-load-stuck": {
    severity: "block",
    hint: "make what the migration locks smaller, or run it when nobody holds these tables",
  },
};

/** What a statement was seen to do may be allowed, by the file's author and with a reason. That it failed, or that a release is no longer served, may not. */
const SEEN_DOING: readonly TrialRule[] = [
  "type-change-rewrite",
  "volatile-default-rewrite",
  "stored-generated-or-serial",
  "table-wide-maintenance",
  "truncate-or-drop-container",
  "table-rewritten",
  "ddl-after-exclusive-lock",
  "lock-timeout-not-in-effect",
  "trigger-on-hot-table",
];

export const isTrialRule = (rule: string): rule is TrialRule => Object.hasOwn(RULES, rule);
export const isAllowable = (rule: TrialRule): boolean => SEEN_DOING.includes(rule);
