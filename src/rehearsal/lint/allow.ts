import { isAllowable, isTrialRule, RULES as TRIAL_RULES } from "../trial/rules.ts";
import { nearest } from "../../plan/nearest.ts";
import { allowsIn, type Allow } from "../../plan/source/allow.ts";
import type { Finding, Found, LintFile } from "./finding.ts";
import { findingAt } from "./place.ts";
import { isRule, ruleOf, RULES } from "./rules.ts";

/**
 * Takes away what the file allows, and adds what is wrong with its allows. One speaks of the statement below it, or of
 * the one whose body it stands in, and of one rule.
 */
export function applyAllows(file: LintFile, findings: readonly Finding[]): readonly Finding[] {
  const allows = allowsIn(file.text).map((allow) => ({ allow, statement: statementOf(file, allow) }));
  const judged = allows.map(({ allow, statement }) => ({
    rule: allow.rule,
    statement,
    complaint: complaintAbout(allow, statement, findings),
    allow,
  }));
  const valid = judged.filter(({ complaint }) => complaint === undefined);
  const left = findings.filter(
    ({ rule, statement }) => !valid.some((one) => one.rule === rule && one.statement === statement),
  );
  const complaints = judged.flatMap(({ complaint, statement, allow }) =>
    complaint === undefined ? [] : [findingAt(file, statement ?? 0, { ...complaint, at: allow.at, end: allow.end })],
  );
  return [...left, ...complaints].toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** 1-based; undefined below the last one. */
function statementOf({ statements }: LintFile, allow: Allow): number | undefined {
  const index = statements.findIndex(({ end }) => end > allow.end);
  return index === -1 ? undefined : index + 1;
}

function complaintAbout(
  { rule, reason }: Allow,
  statement: number | undefined,
  findings: readonly Finding[],
): Pick<Found, "rule" | "message" | "instead"> | undefined {
  if (rule === "")
    return {
      rule: "ignore-without-reason",
      message: "this allows nothing, for no reason",
      instead: "write -- midflight: allow RULE because REASON, or delete it",
    };
  if (!isRule(rule) && !isTrialRule(rule) && !rule.startsWith("squawk:")) {
    const near = nearest(rule, [...Object.keys(RULES), ...Object.keys(TRIAL_RULES)]);
    return {
      rule: "unused-ignore",
      message: `there is no rule ${rule}`,
      instead: near === undefined ? "delete it" : `did you mean ${near}?`,
    };
  }
  if (reason === "")
    return {
      rule: "ignore-without-reason",
      message: `this allows ${rule} and does not say why`,
      instead: `write -- midflight: allow ${rule} because REASON`,
    };
  if (isRule(rule) ? ruleOf(rule).isFixed === true : isTrialRule(rule) && !isAllowable(rule))
    return {
      rule: "unused-ignore",
      message: `${rule} cannot be allowed`,
      instead: "mend what it found, and delete this",
    };
  // Squawk is not installed everywhere, and what only it finds may be allowed all the same; so may what only a trial finds.
  if (
    rule.startsWith("squawk:") ||
    (!isRule(rule) && statement !== undefined) ||
    findings.some((one) => one.rule === rule && one.statement === statement)
  )
    return undefined;
  return {
    rule: "unused-ignore",
    message: `${rule} finds nothing in ${statement === undefined ? "what follows, which is no statement" : `statement ${statement}`}`,
    instead: "delete it, or put it above the statement that it speaks of",
  };
}
