import type { Fact } from "../engine/fact.ts";
import type { ProbeFill } from "../guard/probe-fill.ts";
import type { WatchPulse } from "../ports/watcher.ts";

const EVERY_MS = 1_000;

/**
 * Turns the watcher's pulses into facts: one whenever users' failures grew or a code came that no rule names, at most once a second, and one for
 * each change of a probe order that was traded with.
 */
export class Tally {
  private postedAt = Number.NEGATIVE_INFINITY;
  private posted = EMPTY;
  private last: WatchPulse | undefined;
  private readonly fills = new Map<string, string>();
  private readonly post: (fact: Fact) => void;

  constructor(post: (fact: Fact) => void) {
    this.post = post;
  }

  take(pulse: WatchPulse): void {
    this.last = pulse;
    for (const fill of pulse.fills ?? []) this.noteFill(pulse.at, fill);
    const { failures, codes } = sizeOf(pulse);
    const isNews = failures !== this.posted.failures || codes !== this.posted.codes;
    if (isNews && pulse.at - this.postedAt >= EVERY_MS) this.flush();
  }

  /** Posts what is not told yet, also that a known code came again. */
  flush(): void {
    const pulse = this.last;
    if (pulse === undefined) return;
    const size = sizeOf(pulse);
    if (size.failures === this.posted.failures && size.unlisted === this.posted.unlisted) return;
    this.postedAt = pulse.at;
    this.posted = size;
    const { failures, unlisted } = pulse;
    this.post({ kind: "tally", at: pulse.at, failures, ...(unlisted === undefined ? {} : { unlisted }) });
  }

  private noteFill(at: number, fill: ProbeFill): void {
    if (this.fills.get(fill.clOrdId) === fill.state) return;
    this.fills.set(fill.clOrdId, fill.state);
    this.post({ kind: "probe-filled", at, fill });
  }
}

type Size = { readonly failures: number; readonly codes: number; readonly unlisted: number };
const EMPTY: Size = { failures: 0, codes: 0, unlisted: 0 };

const sizeOf = ({ failures, unlisted = [] }: WatchPulse): Size => ({
  failures: failures.reduce((sum, row) => sum + row.count, 0),
  codes: unlisted.length,
  unlisted: unlisted.reduce((sum, row) => sum + row.live + row.probes, 0),
});
