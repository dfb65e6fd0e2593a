import type { Opinion } from "../../ports/second-opinion.ts";
import type { Finding, LintFile } from "./finding.ts";
import type { RuleId } from "./rules.ts";

/** What squawk calls the same. Ours has judged the statement with what stands before it, with the phase and with the runner. */
const SAME: Readonly<Record<string, RuleId>> = {
  "adding-field-with-default": "volatile-default-rewrite",
  "adding-foreign-key-constraint": "constraint-not-valid-missing",
  "adding-not-nullable-field": "set-not-null-scan",
  "adding-required-field": "required-column",
  "adding-serial-primary-key-field": "stored-generated-or-serial",
  "ban-alter-domain-with-add-constraint": "domain-constraint",
  "ban-concurrent-index-creation-in-transaction": "concurrent-in-transaction",
  "ban-create-domain-with-constraint": "domain-constraint",
  "ban-drop-column": "drop-column-or-table",
  "ban-drop-database": "truncate-or-drop-container",
  "ban-drop-not-null": "default-or-null-changed",
  "ban-drop-table": "drop-column-or-table",
  "ban-truncate-cascade": "truncate-or-drop-container",
  "ban-uncommitted-transaction": "stray-transaction",
  "changing-column-type": "type-change-rewrite",
  "constraint-missing-not-valid": "constraint-not-valid-missing",
  "disallowed-unique-constraint": "unique-or-pk-inline",
  "identifier-too-long": "identifier-too-long",
  "renaming-column": "rename-or-set-schema",
  "renaming-table": "rename-or-set-schema",
  "require-concurrent-index-creation": "index-not-concurrent",
  "require-concurrent-index-deletion": "drop-index-not-concurrent",
  "require-concurrent-partition-detach": "detach-partition-not-concurrent",
  "require-concurrent-reindex": "reindex-not-concurrent",
  "require-enum-value-ordering": "enum-changed",
  "require-lock-timeout": "lock-timeout-missing",
  "require-statement-timeout": "statement-timeout-missing",
  "transaction-nesting": "stray-transaction",
};

/** Style, which is not ours to judge, and what the runner makes needless: it resumes a file in its middle. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "ban-char-field",
  "prefer-bigint-over-int",
  "prefer-bigint-over-smallint",
  "prefer-identity",
  "prefer-repack",
  "prefer-robust-stmts",
  "prefer-text-field",
  "prefer-timestamp-tz",
  "require-table-schema",
  "syntax-error",
]);

/**
 * Joins another linter's findings to ours. The same at the same statement becomes one, with our severity; what ours has
 * looked at and let pass stays passed; what ours does not know is a warning under its own name.
 */
export function mergeOpinions(
  file: LintFile,
  findings: readonly Finding[],
  opinions: readonly Opinion[],
): readonly Finding[] {
  const own = opinions.filter((opinion) => opinion.file === file.file && !LEFT_OUT.has(opinion.rule));
  const shared = own.flatMap((opinion) => {
    const rule = SAME[opinion.rule];
    return rule === undefined ? [] : [`${rule} ${statementAt(file, opinion)}`];
  });
  return [
    ...findings.map((finding) =>
      shared.includes(`${finding.rule} ${finding.statement}`) ? { ...finding, alsoBy: "squawk" as const } : finding,
    ),
    ...own.filter(({ rule }) => SAME[rule] === undefined).map((opinion) => foreign(file, opinion)),
  ];
}

const foreign = (file: LintFile, opinion: Opinion): Finding => ({
  rule: `squawk:${opinion.rule}`,
  severity: "warn",
  file: file.file,
  line: opinion.line,
  column: opinion.column,
  length: 1,
  ...sourceOf(file, opinion.line),
  message: opinion.message,
  instead: opinion.help ?? "see squawk's page on this rule",
  statement: statementAt(file, opinion),
});

const sourceOf = (file: LintFile, line: number): { readonly source?: string } => {
  const source = file.text.split("\n")[line - 1]?.replace(/\r$/, "");
  return source === undefined || source.length > 2_000 ? {} : { source };
};

/** 1-based number of the statement in which a line and column lie. */
function statementAt({ text, statements }: LintFile, { line, column }: Opinion): number {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const at =
    before +
    Array.from(lines[line - 1] ?? "")
      .slice(0, column - 1)
      .join("").length;
  const index = statements.findIndex(({ end }) => end > at);
  return index === -1 ? 0 : index + 1;
}
