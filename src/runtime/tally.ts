import type { Fact } from "../engine/fact.ts";
import type { ProbeFill } from "../guard/probe-fill.ts";
import type { WatchPulse } from "../ports/watcher.ts";

const EVERY_MS = 1_000;

/** Turns the watcher's pulses into facts: one whenever users' failures grew, at most once a second, and one for each change of a probe order that was traded with. */
export class Tally {
  private postedAt = Number.NEGATIVE_INFINITY;
  private postedCount = 0;
  private last: WatchPulse | undefined;
  private readonly fills = new Map<string, string>();
  private readonly post: (fact: Fact) => void;

  constructor(post: (fact: Fact) => void) {
    this.post = post;
  }

  take(pulse: WatchPulse): void {
    this.last = pulse;
    for (const fill of pulse.fills ?? []) this.noteFill(pulse.at, fill);
    if (pulse.at - this.postedAt >= EVERY_MS) this.flush();
  }

  flush(): void {
    const pulse = this.last;
    if (pulse === undefined) return;
    const count = pulse.failures.reduce((sum, row) => sum + row.count, 0);
    if (count === this.postedCount) return;
    this.postedAt = pulse.at;
    this.postedCount = count;
    this.post({ kind: "tally", at: pulse.at, failures: pulse.failures });
  }

  private noteFill(at: number, fill: ProbeFill): void {
    if (this.fills.get(fill.clOrdId) === fill.state) return;
    this.fills.set(fill.clOrdId, fill.state);
    this.post({ kind: "probe-filled", at, fill });
  }
}
