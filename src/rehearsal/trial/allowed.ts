import type { Migration } from "../../plan/model.ts";
import { allowsIn } from "../../plan/source/allow.ts";
import type { TracedRun } from "../../ports/trials.ts";
import { isAllowable } from "./rules.ts";
import type { TrialFinding } from "./result.ts";

/** What is left, and what the file allows with a reason. */
export type Allowed = { readonly left: readonly TrialFinding[]; readonly notes: readonly string[] };

/**
 * `-- midflight: allow RULE because REASON` speaks of the statement below it. What a statement was seen to do may be allowed;
 * that it failed, or that a release is no longer served, may not.
 */
export function applyAllows(migration: Migration, run: TracedRun, findings: readonly TrialFinding[]): Allowed {
  const text = run.file.endsWith(".up.sql") ? migration.up : migration.down;
  const allows = allowsIn(text).flatMap(({ end, rule, reason }) => {
    const line = text.slice(0, end).split("\n").length;
    const statement = run.statements.find((one) => one.line >= line)?.number;
    return reason === "" || statement === undefined ? [] : [{ rule, statement, reason }];
  });
  const left: TrialFinding[] = [];
  const notes: string[] = [];
  for (const finding of findings) {
    const allow = allows.find(({ rule, statement }) => rule === finding.rule && statement === finding.statement);
    const mayBe = isAllowable(finding.rule);
    const isFailure = run.failure?.number === finding.statement && run.failure.file === finding.file;
    if (allow === undefined || isFailure || !mayBe) left.push(finding);
    else notes.push(`${finding.file}:${finding.line} ${finding.rule} is allowed: ${allow.reason}`);
  }
  return { left, notes };
}
