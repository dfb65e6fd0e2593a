import { foldIntoBins, freshBinStream, type BinStream } from "../../src/guard/detector/bin-stream.ts";
import { foldCleanBins } from "../../src/guard/detector/bins.ts";
import { evidenceIn } from "../../src/guard/detector/mixture.ts";
import { restMsAfter } from "../../src/guard/family.ts";
import { geometric, type Luck } from "./luck.ts";
import { gapOf, lengthOf, type Effort, type HealthyCase, type RunLength } from "./run-length.ts";

/** As `closer-look.ts` has it. */
const [USUAL_MS, CLOSE_MS, LOOK_MS, MOST_MS, PAUSE_MS] = [100, 20, 500, 3_000, 30_000];
const [FEW, SHARE] = [3, 0.2];

/** False alarms of bins that get short for a while after each that failed in earnest, as counters are read, with the rest that the guard states. */
export const lookedRunLength = (luck: Luck, how: HealthyCase, effort: Effort): RunLength =>
  new Looked(luck, how).run(effort);

class Looked {
  private readonly luck: Luck;
  private readonly how: HealthyCase;
  private readonly perMs: number;
  private stream: BinStream = freshBinStream;
  private alarms = 0;
  /** The running bin, ms, and what failed in it. */
  private from = 0;
  private to = USUAL_MS;
  private failed = 0;
  private lookBegun = -Infinity;
  private lookUntil = -Infinity;

  constructor(luck: Luck, how: HealthyCase) {
    this.luck = luck;
    this.how = how;
    this.perMs = how.perSec / 1_000;
  }

  run({ alarms, bursts }: Effort): RunLength {
    let position = 0;
    for (let burst = 0; this.alarms < alarms && burst < bursts; burst++) {
      position += gapOf(this.luck, this.how);
      for (let left = 1 + geometric(this.luck, 1 / this.how.burst); left > 0; left--, position++) {
        this.passTo(position / this.perMs);
        this.failed++;
      }
    }
    this.close();
    return lengthOf(this.from / 86_400_000, this.alarms);
  }

  /** Until the running bin is the one in which this moment lies. */
  private passTo(ms: number): void {
    if (ms >= this.to) this.close();
    while (ms >= this.to) {
      if (this.isCalm()) this.skipTo(ms);
      else this.close();
    }
  }

  private isCalm(): boolean {
    return this.to - this.from === USUAL_MS && this.from >= this.lookUntil && this.from >= this.stream.restUntil;
  }

  /** Clean bins, many at once. */
  private skipTo(ms: number): void {
    const count = Math.floor((ms - this.from) / USUAL_MS);
    this.stream = { ...this.stream, mixture: foldCleanBins(this.stream.mixture, { count, seconds: USUAL_MS / 1_000 }) };
    this.from += count * USUAL_MS;
    this.to = this.from + USUAL_MS;
  }

  private close(): void {
    const { from, to, failed } = this;
    const issued = Math.round((to - from) * this.perMs);
    const bin = { from, to, issued, failed, seconds: (to - from) / 1_000, restMs: restMsAfter(to - from) };
    this.stream = foldIntoBins(this.stream, bin, this.how.p0);
    if (!(evidenceIn(this.stream.mixture) < this.how.falseAlarmEverySec)) {
      this.alarms++;
      this.stream = { ...freshBinStream, restUntil: this.stream.restUntil };
    }
    // What is decided when a bin is told holds for the one after the next: the next has begun.
    const isClose = to < this.lookUntil;
    if (failed >= FEW && failed / issued >= SHARE) this.lookCloser(to);
    this.failed = 0;
    this.from = to;
    this.to = to + (isClose ? CLOSE_MS : USUAL_MS);
  }

  private lookCloser(at: number): void {
    if (at >= this.lookUntil && at - this.lookBegun < PAUSE_MS) return;
    if (at >= this.lookUntil) this.lookBegun = at;
    this.lookUntil = Math.min(at + LOOK_MS, this.lookBegun + MOST_MS);
  }
}
