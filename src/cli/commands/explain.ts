import { CATALOG, EXIT, type ErrorCode } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { isRule, ruleOf, type RuleId } from "../../rehearsal/lint/rules.ts";
import type { CliIo, ExitStatus } from "../io.ts";

export function explain(io: CliIo, [code]: readonly string[]): Promise<ExitStatus> {
  if (code === undefined) {
    for (const [name, entry] of Object.entries(CATALOG)) io.print(`${name.padEnd(28)} exit ${entry.exit}`);
    return Promise.resolve(EXIT.done);
  }
  const rule = code.toLowerCase();
  if (isRule(rule)) {
    io.print(rulePage(rule));
    return Promise.resolve(EXIT.done);
  }
  const entry = CATALOG[code.toUpperCase() as ErrorCode];
  if (entry === undefined)
    throw new UpgradeError("USAGE", `there is no code ${code}`, { hint: "`midflight explain` lists them all" });
  io.print(
    `${code.toUpperCase()}\n\n${entry.explain}\n\nExit status ${entry.exit}. ${entry.retry ? "The same call may succeed later by itself." : "It does not pass by itself."}`,
  );
  return Promise.resolve(EXIT.done);
}

/** A rule for migrations, as `check` names it. */
function rulePage(rule: RuleId): string {
  const { severity, decidedBy, catches, isFixed } = ruleOf(rule);
  const effect = severity === "block" ? "It keeps a plan from being used." : "It is a warning.";
  const allow =
    isFixed === true
      ? "It cannot be allowed."
      : `To allow it for one statement, write above it:\n  -- midflight: allow ${rule} because REASON`;
  return `${rule}\n\nA rule for migrations: ${catches}.\n${effect} Decided by: ${decidedBy.join(", ")}.\n\n${allow}`;
}
