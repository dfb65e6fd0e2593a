import { Bug } from "../errors/bug.ts";
import { order, settle, stay } from "./decision.ts";
import type { Fact, FactOf } from "./fact.ts";
import { ask } from "./phases/asked.ts";
import { fail } from "./phases/failed.ts";
import { confirmed, checked } from "./phases/confirming.ts";
import { backedUp } from "./phases/backing-up.ts";
import { finished } from "./phases/finishing.ts";
import { gated } from "./phases/gating.ts";
import { looked } from "./phases/holding.ts";
import { moved } from "./phases/moving.ts";
import { prepared } from "./phases/preparing.ts";
import { revive } from "./phases/revive.ts";
import { see } from "./phases/seen.ts";
import { undone, withdrew } from "./phases/undoing.ts";
import { heed } from "./phases/verdict.ts";
import { readmitted } from "./phases/withdrawn.ts";
import type { Decision, Run } from "./run.ts";

/**
 * Folds one fact into the run, and says what shall happen next. Pure and total: a fact that the phase does not await changes nothing,
 * so late and doubled answers are harmless. A run is the fold of its journal; resuming it is replaying it.
 */
export function decide(before: Run, fact: Fact): Decision {
  return dated(fold({ ...before, facts: before.facts + 1 }, fact), fact.at);
}

/** A move that has just begun begins now: its deadline counts from here, and all of its attempts share it. */
function dated({ run, effects }: Decision, at: number): Decision {
  return run.phase.kind === "moving" && run.phase.since === undefined
    ? { run: { ...run, phase: { kind: "moving", since: at } }, effects }
    : { run, effects };
}

function fold(run: Run, fact: Fact): Decision {
  switch (fact.kind) {
    case "opened":
      throw new Bug(`run ${run.id} was opened twice`);
    case "conductor-started":
      return revive(run, fact);
    case "verdict":
      return heed(run, fact.verdict, fact.at);
    case "sighted":
      return see(run, fact);
    case "asked":
      return ask(run, fact);
    case "effect-done":
      return run.pending[fact.id] === undefined ? stay(run) : answer(run, fact);
    case "effect-failed":
      return run.pending[fact.id] === undefined ? stay(run) : fail(run, fact);
    case "delivered":
    case "undelivered":
    case "tally":
    case "probe-filled":
      return stay(run);
  }
}

function answer(pending: Run, fact: FactOf<"effect-done">): Decision {
  const effect = pending.pending[fact.id];
  const run = settle(pending, fact.id);
  if (effect?.kind === "timer" && effect.next !== undefined) return order(run, [effect.next]);
  switch (run.phase.kind) {
    case "preparing":
      return prepared(run, fact);
    case "gating":
      return gated(run, fact);
    case "moving":
      return moved(run, fact);
    case "finishing":
      return finished(run, fact);
    case "withdrawn":
      return readmitted(run, fact);
    case "holding":
      return looked(run, fact);
    case "withdrawing":
      return withdrew(run);
    case "undoing":
      return undone(run, fact);
    case "backing-up":
      return backedUp(run, run.phase);
    case "checking":
      return checked(run, fact);
    case "confirming":
      return confirmed(run, fact);
    case "halted":
    case "ended":
      return stay(run);
  }
}
