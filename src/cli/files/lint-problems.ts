import type { Problem } from "../../errors/problem.ts";
import type { Finding } from "../../rehearsal/lint/finding.ts";
import type { Linted } from "./lint-migrations.ts";

/** Everything that is wrong, each thing once: what keeps from going on first, then the warnings. */
export function problemsOf(read: readonly Problem[], linted: Linted): readonly Problem[] {
  const broken = new Set(read.map(({ file }) => file));
  // Where reading the file failed already, that says more than the grammar does.
  const syntax = linted.problems.filter(({ file }) => !broken.has(file));
  const told = new Set(read.map(placeOf));
  const findings = linted.findings
    .filter((finding) => finding.rule !== "stray-transaction" || !told.has(placeOf(finding)))
    .map(findingProblem);
  return [
    ...read,
    ...syntax,
    ...findings.filter(({ isWarning }) => isWarning !== true),
    ...findings.filter(({ isWarning }) => isWarning === true),
  ];
}

const placeOf = ({ file, line }: { readonly file: string; readonly line: number }): string => `${file}:${line}`;

/** A finding in the form in which all bad input is told. */
export const findingProblem = (finding: Finding): Problem => ({
  code: "MIGRATION_UNSAFE",
  ...(finding.severity === "warn" ? { isWarning: true } : {}),
  message: `${finding.rule}: ${finding.message}${lockText(finding)}`,
  file: finding.file,
  line: finding.line,
  column: finding.column,
  length: finding.length,
  ...(finding.source === undefined ? {} : { source: finding.source }),
  hint: finding.instead,
});

const lockText = ({ lock }: Finding): string =>
  lock === undefined ? "" : ` (${lock.mode}${lock.table === undefined ? "" : ` on ${lock.table}`})`;
