import { Bug } from "../../errors/bug.ts";
import { isVisible, type Move } from "../../graph/move.ts";
import { after, isQuiet, stay } from "../decision.ts";
import type { FactOf } from "../fact.ts";
import { regionsToChange } from "../move-effects.ts";
import type { Decision, Run } from "../run.ts";
import { standingAfter, withStanding } from "../standing.ts";
import { enter, markOf } from "./entering.ts";
import { trip } from "./tripping.ts";

/** An effect of the move is done. When all are, the next move is entered. */
export function moved(run: Run, fact: FactOf<"effect-done">): Decision {
  const move = moveOf(run);
  if (fact.result.kind === "proof" && fact.result.result.kind !== "proved") {
    const text = fact.result.result.reason;
    return trip(run, { kind: "refuted", text: `refused in the dark: ${text}`, at: fact.at, suspect: move.id });
  }
  return isQuiet(run) ? complete(stay(run), move) : stay(run);
}

/** Evidence of health that is older than the move no longer counts, if users could feel it. */
export function complete(decision: Decision, move: Move): Decision {
  const stood = stands(decision.run, move);
  const run: Run = isVisible(move) ? { ...stood, isEvidenced: false } : stood;
  return after({ run, effects: decision.effects }, enter(run, run.next + 1, markOf(run, move, "done")));
}

const stands = (run: Run, move: Move): Run =>
  "regions" in move
    ? regionsToChange(run, move).reduce(
        (known, region) => withStanding(known, move.component, region, standingAfter(run, move, region)),
        run,
      )
    : run;

export function moveOf(run: Run): Move {
  const move = run.graph.moves[run.next];
  if (move === undefined) throw new Bug(`run ${run.id} is past its last move`);
  return move;
}
