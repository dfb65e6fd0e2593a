import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fillText } from "../../events/fill-text.ts";
import type { ProbeFill } from "../../guard/probe-fill.ts";
import type { UnlistedCode } from "../../guard/unlisted.ts";
import type { StreamReading, Verdict, VerdictState } from "../../guard/verdict.ts";
import type { WatchedInstance, WatchPulse } from "../../ports/watcher.ts";
import type { WiredGuard } from "../wiring/guard.ts";

/** What a guard saw that watched without a run. Times in ms. */
export type Watched = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly spentMs: Readonly<Record<VerdictState, number>>;
  readonly streams: readonly StreamReading[];
  /** What was measured says about the stated baseline: that it does not hold, or that a better one would. */
  readonly baselineAdvice?: string;
  readonly failed: number;
  /** Codes that no rule names. */
  readonly unlisted: readonly UnlistedCode[];
  /** Whether health was shown at all, and nothing but health after that. */
  readonly isHealthy: boolean;
};

export type WatchOrder = {
  /** Ends by itself after this; otherwise with the signal. */
  readonly forMs?: number;
  readonly verdict: (verdict: Verdict) => void;
  readonly pulse: (pulse: WatchPulse) => void;
  /** Told why the instances cannot be seen, and that a probe order was traded with; once each time. */
  readonly trouble: (text: string) => void;
};

/** How often the instances are looked at: others may upgrade while we watch. */
const LOOK_MS = 2_000;

/** Lets a guard judge what is there until it is told to stop. Its probe orders are cancelled before this resolves. */
export async function watchAlone(guard: WiredGuard, order: WatchOrder, signal: AbortSignal): Promise<Watched> {
  const { watcher, config, clock } = guard;
  const fromMs = clock.now();
  const ledger = new Ledger(fromMs);
  let pulse: WatchPulse | undefined;
  const fills = new Map<string, ProbeFill["state"]>();
  await watcher.start(config, {
    verdict(verdict) {
      ledger.note(verdict.state, clock.now());
      order.verdict(verdict);
    },
    pulse(told) {
      pulse = told;
      order.pulse(told);
      for (const fill of told.fills ?? []) {
        if (fills.get(fill.clOrdId) !== fill.state) order.trouble(fillText(fill));
        fills.set(fill.clOrdId, fill.state);
      }
    },
  });
  try {
    await look(guard, order, signal);
  } finally {
    await watcher.stop();
  }
  const toMs = clock.now();
  return {
    fromMs,
    toMs,
    spentMs: ledger.spent(toMs),
    streams: pulse?.streams ?? [],
    failed: pulse?.failed ?? 0,
    unlisted: pulse?.unlisted ?? [],
    isHealthy: ledger.isHealthy,
    ...(pulse?.baselineAdvice === undefined ? {} : { baselineAdvice: pulse.baselineAdvice }),
  };
}

async function look(guard: WiredGuard, order: WatchOrder, signal: AbortSignal): Promise<void> {
  const { watcher, clock } = guard;
  const until = order.forMs === undefined ? Infinity : clock.monotonic() + order.forMs;
  let known = "";
  let trouble = "";
  while (!signal.aborted && clock.monotonic() < until) {
    try {
      const seen = await guard.instances(signal);
      trouble = "";
      if (keyOf(seen) !== known) watcher.instances(seen);
      known = keyOf(seen);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UpgradeError)) throw error;
      if (trouble !== error.message) order.trouble(error.message);
      trouble = error.message;
    }
    await clock.sleep(Math.max(0, Math.min(LOOK_MS, until - clock.monotonic())), signal).catch(() => {});
  }
}

const keyOf = (instances: readonly WatchedInstance[]): string =>
  instances
    .map(({ id, release, url, inTraffic }) => `${id} ${release} ${url} ${inTraffic}`)
    .toSorted()
    .join("\n");

/** How long each verdict stood. */
class Ledger {
  private state: VerdictState = "unknown";
  private readonly times: Record<VerdictState, number> = {
    healthy: 0,
    suspect: 0,
    failing: 0,
    disturbed: 0,
    unknown: 0,
  };
  private since: number;
  private hasBeenHealthy = false;
  private hasBeenIll = false;

  constructor(from: number) {
    this.since = from;
  }

  note(state: VerdictState, now: number): void {
    this.times[this.state] += now - this.since;
    this.since = now;
    this.state = state;
    if (state === "healthy") this.hasBeenHealthy = true;
    // Before the first evidence nobody knows anything; that is no illness, unless something else is said.
    else if (state !== "unknown" || this.hasBeenHealthy) this.hasBeenIll = true;
  }

  get isHealthy(): boolean {
    return this.hasBeenHealthy && !this.hasBeenIll;
  }

  spent(now: number): Readonly<Record<VerdictState, number>> {
    return { ...this.times, [this.state]: this.times[this.state] + now - this.since };
  }
}
