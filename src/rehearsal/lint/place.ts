import { problemInText } from "../../plan/source/source.ts";
import { ruleOf } from "./rules.ts";
import type { Finding, Found, LintFile } from "./finding.ts";

/** A finding with its line and column; what goes over several lines is marked on the first. */
export function findingAt(
  file: LintFile,
  statement: number,
  found: Found & { readonly at: number; readonly end: number },
): Finding {
  const { at, end, rule, message, instead, lock, severity } = found;
  const place = problemInText(file, at, end, {
    code: rule,
    message,
  });
  return {
    rule,
    severity: severity ?? ruleOf(rule).severity,
    file: file.file,
    line: place.line,
    column: place.column,
    length: place.length ?? 1,
    ...(place.source === undefined ? {} : { source: place.source }),
    message,
    ...(lock === undefined ? {} : { lock }),
    instead,
    statement,
  };
}
