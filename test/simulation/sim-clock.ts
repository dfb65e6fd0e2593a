import type { Clock } from "../../src/ports/clock.ts";

type Entry = { readonly at: number; readonly order: number; readonly run: () => void };

/** Simulated time: it stands still until nothing more can happen, then jumps to the next entry. */
export class SimClock {
  private time = 1_700_000_000_000;
  private order = 0;
  private queue: Entry[] = [];

  now(): number {
    return this.time;
  }

  at(delayMs: number, run: () => void): () => void {
    const entry: Entry = { at: this.time + delayMs, order: this.order++, run };
    this.queue.push(entry);
    return () => {
      this.queue = this.queue.filter((other) => other !== entry);
    };
  }

  /** Runs the next entry. False when there is none. */
  step(): boolean {
    let best = 0;
    for (let index = 1; index < this.queue.length; index += 1) {
      const one = this.queue[index];
      const other = this.queue[best];
      if (
        one !== undefined &&
        other !== undefined &&
        (one.at < other.at || (one.at === other.at && one.order < other.order))
      )
        best = index;
    }
    const [entry] = this.queue.splice(best, 1);
    if (entry === undefined) return false;
    this.time = Math.max(this.time, entry.at);
    entry.run();
    return true;
  }

  /** The port, as one conductor has it: a dead conductor's sleeps never end. */
  portFor(isDead: () => boolean): Clock {
    return {
      now: () => this.time,
      monotonic: () => this.time,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason);
          const cancel = this.at(ms, () => {
            signal.removeEventListener("abort", onAbort);
            if (!isDead()) resolve();
          });
          const onAbort = () => {
            cancel();
            if (!isDead()) reject(signal.reason);
          };
          signal.addEventListener("abort", onAbort, { once: true });
        }),
    };
  }
}
