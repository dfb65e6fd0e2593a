import { closerLook } from "../../src/adapters/guard-thread/closer-look.ts";
import type { Count, CountBin, Source } from "../../src/guard/count.ts";
import { judge, settingsOf, startJudging, type JudgeInput, type JudgeState } from "../../src/guard/judge.ts";
import type { Instance } from "../../src/guard/loss.ts";
import { geometric, type Luck } from "./luck.ts";
import { MONTH_SEC, P0 } from "./part.ts";

/** One region, judged as the guard's thread judges it: counters at its own pace, instance after instance, probes in bins, ticks. */
export type LiveCase = {
  /** Users' operations. */
  readonly perSec: number;
  readonly instances: number;
  /** How many of them take the new release at the step. */
  readonly fresh: number;
  /** Chance that an operation fails from the step on. */
  readonly newFails: number;
  readonly oldFails: number;
  /** Mean operations in a row, on one instance, that fail together; 1: independent. */
  readonly burst: number;
  /** Users are led away from new instances so long after the suspicion, ms; left out: nobody acts. */
  readonly withdrawnAfterMs?: number;
};

/** Milliseconds from the step to the first such verdict, told when it was reached and not for when. */
export type LiveRun = { readonly suspectMs?: number; readonly failingMs?: number };

const OPERATIONS = ["order", "amend", "cancel"] as const;
const COHORTS = 10;
const PROBE_MS = 100 / 3;
const PROBE_BIN_MS = 100;
const TICK_MS = 50;
const WARM_MS = 5_000;

export const liveRun = (luck: Luck, how: LiveCase, forMs: number): LiveRun => new LiveWorld(luck, how).run(forMs);

class LiveWorld {
  private readonly luck: Luck;
  private readonly how: LiveCase;
  private readonly stepAt: number;
  private state: JudgeState = startJudging(SETTINGS, 0);
  private instances: readonly Instance[];
  /** When each instance was read last, and how much of a burst is left on it. */
  private readonly readAt: number[];
  private readonly burstLeft: number[];
  private readonly look = closerLook();
  private nextTick = TICK_MS;
  private nextProbes = PROBE_BIN_MS;
  private slot = 0;
  private suspectAt: number | undefined;
  private failingAt: number | undefined;
  private isStepped = false;

  constructor(luck: Luck, how: LiveCase) {
    this.luck = luck;
    this.how = how;
    // The step does not know the phase of the rounds.
    this.stepAt = WARM_MS + luck() * 100;
    this.instances = Array.from({ length: how.instances }, (_, index) => ({
      id: `tokyo-${index}`,
      region: "tokyo",
      release: "gateway@1.0",
      side: "old",
      inTraffic: true,
    }));
    this.readAt = this.instances.map(() => 0);
    this.burstLeft = this.instances.map(() => 0);
    this.put({ kind: "instances", at: 0, instances: this.instances }, 0);
  }

  run(forMs: number): LiveRun {
    let lastAt = 0;
    for (let at = 0; at < this.stepAt + forMs && this.failingAt === undefined;) {
      const pace = this.look.pace(at);
      const closedAt = at + pace.closedMs;
      this.pass(closedAt);
      const askedAt = (index: number): number => at + (pace.spreadMs * index) / this.how.instances;
      const counts = this.instances.flatMap((_, index) => this.read(index, askedAt(index)));
      this.put({ kind: "reach", at, gone: [], unreadable: [] }, closedAt);
      if (at > lastAt) this.put({ kind: "bin", at, ms: at - lastAt, counts }, closedAt);
      lastAt = at;
      this.look.note(counts, closedAt);
      at = Math.max(closedAt, at + pace.everyMs);
    }
    return {
      ...(this.suspectAt === undefined ? {} : { suspectMs: this.suspectAt - this.stepAt }),
      ...(this.failingAt === undefined ? {} : { failingMs: this.failingAt - this.stepAt }),
    };
  }

  /** Everything that happens until then beside the rounds. */
  private pass(until: number): void {
    for (;;) {
      const at = Math.min(this.nextTick, this.nextProbes, this.isStepped ? Infinity : this.stepAt);
      if (at > until) return;
      if (at === this.stepAt && !this.isStepped) this.step();
      else if (at === this.nextProbes) {
        this.put(this.probes(at), at);
        this.nextProbes += PROBE_BIN_MS;
      } else {
        this.put({ kind: "tick", at }, at);
        this.nextTick += TICK_MS;
      }
    }
  }

  private step(): void {
    this.isStepped = true;
    this.instances = this.instances.map((instance, index) =>
      index < this.how.fresh ? { ...instance, side: "new", release: "gateway@2.0" } : instance,
    );
    this.put({ kind: "instances", at: this.stepAt, instances: this.instances }, this.stepAt);
    const cause = { kind: "instances", component: "gateway", regions: ["tokyo"] } as const;
    this.put({ kind: "mark", at: this.stepAt, cause }, this.stepAt);
  }

  private put(input: JudgeInput, at: number): void {
    const judged = judge(this.state, input);
    this.state = judged.state;
    if (judged.verdict.state === "suspect") this.suspectAt ??= at;
    if (judged.verdict.state === "failing") this.failingAt ??= at;
  }

  /** What an instance has counted since it was read last. */
  private read(index: number, at: number): readonly Count[] {
    const counts = new Map<string, Mutable<Count>>();
    const from = this.readAt[index] ?? 0;
    this.readAt[index] = at;
    for (let time = this.next(index, from); time <= at; time = this.next(index, time)) {
      const operation = OPERATIONS[Math.floor(this.luck() * 3)] ?? "order";
      add(counts, { ...this.servedBy(index, "live"), operation, cohort: this.someCohort() }, this.fails(index, time));
    }
    return [...counts.values()];
  }

  private next(index: number, from: number): number {
    const perSec = this.rateOf(index, from);
    return perSec === 0 ? Infinity : from - (Math.log(1 - this.luck()) * 1000) / perSec;
  }

  private rateOf(index: number, at: number): number {
    const { perSec, instances, fresh } = this.how;
    if (!this.isWithdrawn(at)) return perSec / instances;
    return index < fresh ? 0 : perSec / (instances - fresh);
  }

  private isWithdrawn(at: number): boolean {
    const { withdrawnAfterMs } = this.how;
    return withdrawnAfterMs !== undefined && this.suspectAt !== undefined && at >= this.suspectAt + withdrawnAfterMs;
  }

  private fails(index: number, at: number): boolean {
    const left = this.burstLeft[index] ?? 0;
    if (left > 0) this.burstLeft[index] = left - 1;
    if (left > 0) return true;
    const chance = this.chanceOf(index, at);
    const { burst } = this.how;
    if (this.luck() >= chance / (chance + burst * (1 - chance))) return false;
    this.burstLeft[index] = geometric(this.luck, 1 / burst);
    return true;
  }

  private chanceOf(index: number, at: number): number {
    if (at < this.stepAt) return P0;
    return index < this.how.fresh ? this.how.newFails : this.how.oldFails;
  }

  private probes(at: number): CountBin {
    const counts = new Map<string, Mutable<Count>>();
    for (; this.slot * PROBE_MS < at; this.slot++) {
      const index = this.target();
      const [operation, cohort] = [OPERATIONS[Math.floor(this.slot / COHORTS) % 3] ?? "order", this.slot % COHORTS];
      const isFailed = this.luck() < this.chanceOf(index, this.slot * PROBE_MS);
      add(counts, { ...this.servedBy(index, "probes"), operation, cohort: `shard-${cohort}` }, isFailed);
    }
    return { kind: "bin", at, ms: PROBE_BIN_MS, counts: [...counts.values()] };
  }

  /** Of four probes one goes through the public address, two to new instances, one to an old one. */
  private target(): number {
    const { fresh, instances } = this.how;
    const side = this.isStepped ? this.slot % 4 : 0;
    if (side === 0) return Math.floor(this.luck() * instances);
    return side === 2 ? fresh + Math.floor(this.luck() * (instances - fresh)) : Math.floor(this.luck() * fresh);
  }

  private servedBy(index: number, source: Source): Pick<Count, "region" | "release" | "side" | "source"> {
    const { region, release, side } = this.instances[index] ?? NOBODY;
    return { region, release, side, source };
  }

  private someCohort(): string {
    return `shard-${Math.floor(this.luck() * COHORTS)}`;
  }
}

const NOBODY = { region: "", release: "", side: "unknown" } as const;

const SETTINGS = settingsOf(
  {
    operations: OPERATIONS,
    falseAlarmEveryMs: MONTH_SEC * 1_000,
    baselineAtMostPct: P0 * 100,
    slowerThanMs: 250,
    deadlineMs: 250,
    probesPerSec: 30,
    suspectForMs: 10_000,
    holdForMs: 600_000,
  },
  [{ region: "tokyo", isProbed: true }],
  true,
);

type Mutable<Data> = { -readonly [Key in keyof Data]: Data[Key] };
type Place = Pick<Count, "operation" | "region" | "release" | "side" | "cohort" | "source">;

const add = (counts: Map<string, Mutable<Count>>, place: Place, isFailed: boolean): void => {
  const key = `${place.operation} ${place.cohort} ${place.release}`;
  const count = counts.get(key) ?? { ...place, issued: 0, failed: 0 };
  count.issued++;
  if (isFailed) count.failed++;
  counts.set(key, count);
};
