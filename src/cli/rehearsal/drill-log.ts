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
  private readonly outages = new Map<string, AbortController>();
  private readonly waiting: Set<Strike>;
  text: string | undefined;

  constructor(order: WalkOrder) {
    this.waiting = new Set(order.strikes);
  }

  heed(event: RunEvent): void {
    if (event.kind === "move-done") this.moves.push({ move: event.move, ms: event.ms });
    if (event.kind === "held") this.heldAfter.push(...this.outages.keys());
    if (event.kind === "held" || event.kind === "halted" || event.kind === "ended")
      for (const answer of this.outages.values()) answer.abort();
    if (event.kind === "gate-waiting") this.awaited = event.move;
    if (event.kind !== "evidence" || this.awaited === undefined) return;
    this.evidence.push({ move: this.awaited, reason: event.message });
    this.awaited = undefined;
  }

  /** From now until it is over, servers are gone that died after this move. Aborted when the run has answered that: it holds, or goes nowhere any more. */
  outage(move: string): AbortSignal {
    const answer = new AbortController();
    this.outages.set(move, answer);
    return answer.signal;
  }

  outageOver(move: string): void {
    this.outages.delete(move);
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
