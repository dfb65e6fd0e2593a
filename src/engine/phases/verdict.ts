import { isVisible } from "../../graph/move.ts";
import type { Verdict } from "../../guard/verdict.ts";
import { notify, order, stay } from "../decision.ts";
import type { Decision, Run } from "../run.ts";
import { refuseNow, unfitness } from "./gating.ts";
import { refuse } from "./preparing.ts";
import { hold } from "./holding.ts";
import { trip } from "./tripping.ts";
import { readmit, sitOut, suspectAgain, withdraw } from "./withdrawn.ts";

/** The guard changed its mind. The mildest cure that its verdict allows comes first. */
export function heed(run: Run, verdict: Verdict, at: number): Decision {
  const told: Run = { ...run, verdict, isEvidenced: run.isEvidenced && verdict.state === "healthy" };
  switch (run.phase.kind) {
    case "gating":
    case "moving":
    case "holding":
    case "finishing":
      return forward(told, verdict, at);
    case "withdrawn":
      return whileWithdrawn(told, verdict, at);
    case "preparing":
    case "withdrawing":
    case "undoing":
    case "backing-up":
    case "checking":
    case "confirming":
    case "halted":
    case "ended":
      return stay(told);
  }
}

function forward(run: Run, verdict: Verdict, at: number): Decision {
  switch (verdict.state) {
    case "healthy":
      return stay(run);
    case "suspect":
      return withdraw(run, verdict);
    case "failing":
      return turnBack(run, verdict, at);
    case "disturbed":
      // A market-wide storm or a lost server: going on is wrong, and so is taking anything back.
      if (run.touched.length === 0) return untouched(run);
      return run.phase.kind === "holding" ? stay(run) : hold(run, verdict.reason);
    case "unknown":
      return order(run, [notify(run, "unknown", verdict.reason)]);
  }
}

function whileWithdrawn(run: Run, verdict: Verdict, at: number): Decision {
  switch (verdict.state) {
    case "healthy":
      return readmit(run);
    case "suspect":
      return suspectAgain(run, verdict);
    case "failing":
      return turnBack(run, verdict, at);
    case "disturbed":
      return sitOut(run, verdict.reason);
    case "unknown":
      return stay(run);
  }
}

function untouched(run: Run): Decision {
  const unfit = unfitness(run);
  return unfit === undefined ? stay(run) : refuseNow(run, unfit);
}

function turnBack(run: Run, verdict: Verdict, at: number): Decision {
  if (run.touched.length === 0) return refuse(run, `production is failing now: ${verdict.reason}`);
  const suspect = run.touched.findLast((id) => run.graph.moves.some((move) => move.id === id && isVisible(move)));
  return trip(run, { kind: "guard", text: verdict.reason, at, ...(suspect === undefined ? {} : { suspect }) });
}
