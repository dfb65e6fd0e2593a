import type { Run } from "../../engine/run.ts";
import type { RunEvent } from "../../events/event.ts";
import type { Strike, WalkOrder } from "../../rehearsal/drills-of.ts";
import type { DrillRun } from "../../rehearsal/stage.ts";

/** What a drill's run did, as its events told it. */
export class DrillLog {
  private readonly moves: { move: string; ms: number }[] = [];
  private readonly evidence: { move: string; reason: string }[] = [];
  private awaited: string | undefined;
  private readonly heldAfter: string[] = [];
  private readonly waiting: Set<Strike>;
  text: string | undefined;

  constructor(order: WalkOrder) {
    this.waiting = new Set(order.strikes);
  }

  heed(event: RunEvent): void {
    if (event.kind === "move-done") this.moves.push({ move: event.move, ms: event.ms });
    if (event.kind === "held") this.heldAfter.push(this.moves.at(-1)?.move ?? "");
    if (event.kind === "gate-waiting") this.awaited = event.move;
    if (event.kind !== "evidence" || this.awaited === undefined) return;
    this.evidence.push({ move: this.awaited, reason: event.message });
    this.awaited = undefined;
  }

  struck(strike: Strike): void {
    this.waiting.delete(strike);
  }

  told(run: Run, ms: number): Omit<DrillRun, "dark"> {
    const { phase } = run;
    const outcome = phase.kind === "ended" ? phase.outcome : phase.kind;
    const text = phase.kind === "ended" ? phase.text : phase.kind === "halted" ? phase.why : phase.kind;
    return {
      run: run.id,
      outcome: this.text === undefined ? outcome : "late",
      text: this.text ?? text,
      moves: this.moves,
      evidence: this.evidence,
      heldAfter: this.heldAfter,
      hasStruck: this.waiting.size === 0,
      ms: Math.round(ms),
    };
  }
}
