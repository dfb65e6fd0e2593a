import { mayApprove } from "../clearance.ts";
import { after, cancelPending, notify, order, stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import type { Cause, Decision, Run } from "../run.ts";
import { halt } from "./entering.ts";
import { complete, moveOf } from "./moving.ts";
import { refuse } from "./preparing.ts";
import { rollback, trip } from "./tripping.ts";

/** A person asked for something. What they ask never goes past the guard. An undo may be left, never turned round: resume goes on with it. */
export function ask(run: Run, fact: FactOf<"asked">): Decision {
  switch (fact.what) {
    case "halt":
      return askHalt(run, fact);
    case "undo":
      return askUndo(run, causeOf(fact, "undo asked"));
    case "approve":
      return isApproving(run) && mayApprove(run.clearance, fact.by) ? complete(stay(run), moveOf(run)) : stay(run);
    case "refuse":
      return isApproving(run) ? trip(run, causeOf(fact, "approval refused")) : stay(run);
    case "leave":
      return isTakingBack(run)
        ? order(run, [
            notify(run, "held", `${fact.by} leaves the undo half done; midflight resume ${run.id} goes on with it`),
          ])
        : stay(run);
  }
}

/** Whether the run is on its way back: then only who says its name may leave it. */
export function isTakingBack(run: Run): boolean {
  switch (run.phase.kind) {
    case "withdrawing":
    case "undoing":
    case "backing-up":
    case "checking":
    case "confirming":
      return true;
    case "preparing":
    case "gating":
    case "moving":
    case "holding":
    case "withdrawn":
    case "finishing":
    case "halted":
    case "ended":
      return false;
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
