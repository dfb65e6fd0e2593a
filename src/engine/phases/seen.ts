import { stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import type { Decision, Run } from "../run.ts";
import { differenceOf } from "../standing.ts";
import { foreign, hold } from "./holding.ts";

/** A look that nobody ordered shows a difference: what was lost holds the run, what somebody else did halts it. */
export function see(run: Run, fact: FactOf<"sighted">): Decision {
  if (run.phase.kind !== "gating" && run.phase.kind !== "moving") return stay(run);
  const difference = differenceOf(run, fact.component, fact.state);
  if (difference === undefined) return stay(run);
  return difference.kind === "foreign" ? foreign(run, difference.text) : hold(run, difference.text);
}
