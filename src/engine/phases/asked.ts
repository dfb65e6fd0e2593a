import { after, cancelPending, stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import type { Cause, Decision, Run } from "../run.ts";
import { halt } from "./entering.ts";
import { complete, moveOf } from "./moving.ts";
import { refuse } from "./preparing.ts";
import { rollback, trip } from "./tripping.ts";

/** A person asked for something. What they ask never goes past the guard, and nothing they ask stops an undo. */
export function ask(run: Run, fact: FactOf<"asked">): Decision {
  switch (fact.what) {
    case "halt":
      return askHalt(run, fact);
    case "undo":
      return askUndo(run, causeOf(fact, "undo asked"));
    case "approve":
      return isApproving(run) ? complete(stay(run), moveOf(run)) : stay(run);
    case "refuse":
      return isApproving(run) ? trip(run, causeOf(fact, "approval refused")) : stay(run);
  }
}

const causeOf = (fact: FactOf<"asked">, what: string): Cause => ({
  kind: "operator",
  text: `${what} by ${fact.by}${fact.because === undefined ? "" : `: ${fact.because}`}`,
  at: fact.at,
});

const isApproving = (run: Run): boolean => run.phase.kind === "moving" && moveOf(run).kind === "approve";

/** A batch under way is finished first; where nothing is under way the run halts at once. */
function askHalt(run: Run, fact: FactOf<"asked">): Decision {
  switch (run.phase.kind) {
    case "preparing":
      return refuse({ ...run, pending: {} }, `stopped by ${fact.by} before anything was touched`);
    case "gating":
    case "holding":
    case "withdrawn":
      return haltNow(run, fact);
    case "moving":
      return isApproving(run) || moveOf(run).kind === "soak" ? haltNow(run, fact) : stay({ ...run, isHaltAsked: true });
    case "finishing":
    case "withdrawing":
    case "undoing":
    case "backing-up":
    case "checking":
    case "confirming":
    case "halted":
    case "ended":
      return stay(run);
  }
}

function haltNow(run: Run, fact: FactOf<"asked">): Decision {
  const rest = cancelPending(run);
  if (run.touched.length === 0)
    return after(rest, refuse(rest.run, `stopped by ${fact.by} before anything was touched`));
  return after(rest, halt({ ...rest.run, isEvidenced: false }, "HALTED", `halted on request of ${fact.by}`));
}

function askUndo(run: Run, cause: Cause): Decision {
  switch (run.phase.kind) {
    case "preparing":
      return refuse({ ...run, pending: {} }, cause.text);
    case "gating":
    case "moving":
    case "finishing":
    case "withdrawn":
    case "holding":
    case "halted":
      return trip(run, cause);
    case "ended":
      return run.phase.outcome === "promoted" || run.phase.outcome === "stranded" ? rollback(run, cause) : stay(run);
    case "withdrawing":
    case "undoing":
    case "backing-up":
    case "checking":
    case "confirming":
      return stay(run);
  }
}
