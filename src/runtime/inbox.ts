import type { Fact } from "../engine/fact.ts";

/** Facts on their way to the loop, in the order in which they were posted. */
export class Inbox {
  private readonly facts: Fact[] = [];
  private wake: () => void = () => {};
  private readonly closed: AbortSignal;

  /** `closed` ends every waiting. */
  constructor(closed: AbortSignal) {
    this.closed = closed;
    closed.addEventListener("abort", () => this.wake(), { once: true });
  }

  readonly post = (fact: Fact): void => {
    this.facts.push(fact);
    this.wake();
  };

  /** The next fact; undefined once closed. */
  async take(): Promise<Fact | undefined> {
    while (this.facts.length === 0 && !this.closed.aborted) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.closed.aborted ? undefined : this.facts.shift();
  }

  /** What is there now, without waiting. */
  drain(): readonly Fact[] {
    return this.facts.splice(0);
  }

  hasRequest(): boolean {
    return this.facts.some((fact) => fact.kind === "asked");
  }
}
