import { after, cancelPending, stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import type { Decision, Run } from "../run.ts";
import { beginMove, enter, halt } from "./entering.ts";
import { refuse } from "./preparing.ts";

/** Evidence came, or patience ended. */
export function gated(run: Run, fact: FactOf<"effect-done">): Decision {
  if (fact.result.kind === "evidence") return heard({ ...run, verdict: fact.result.verdict, isEvidenced: true });
  return fact.result.kind === "elapsed" ? giveUp(run) : stay(run);
}

/** Production that is worse than the plan says is no place for an upgrade. Nobody is kept from going on, or back, once a step was taken. */
export const unfitness = ({ verdict, touched }: Run): string | undefined =>
  touched.length === 0 && verdict?.contradicts !== undefined
    ? `production is failing now: ${verdict.contradicts}; mend it, or state a baseline that is true`
    : undefined;

function heard(run: Run): Decision {
  const unfit = unfitness(run);
  return unfit === undefined ? pass(run) : refuseNow(run, unfit);
}

/** Whatever is waited for is given up. */
export function refuseNow(run: Run, why: string): Decision {
  const rest = cancelPending(run);
  return after(rest, refuse(rest.run, why));
}

function pass(run: Run): Decision {
  const rest = cancelPending(run);
  const move = rest.run.graph.moves[rest.run.next];
  return after(
    rest,
    move === undefined || rest.run.isHaltAsked ? enter(rest.run, rest.run.next) : beginMove(rest.run, move),
  );
}

/** Before the first touch there is nothing to hold: production is simply not fit for an upgrade now. */
export function giveUp(run: Run): Decision {
  const rest = cancelPending(run);
  const said = run.verdict === undefined ? "no verdict came" : `${run.verdict.state}: ${run.verdict.reason}`;
  if (run.touched.length === 0)
    return after(rest, refuse(rest.run, `no evidence of health before the first step (${said})`));
  return after(rest, halt(rest.run, "NO_EVIDENCE", `no evidence of health for too long (${said})`));
}
