import type { Operation } from "../../src/plan/model.ts";
import type { Count, CountBin, CountSide, Source } from "../../src/guard/count.ts";
import { judge, settingsOf, startJudging, type JudgeInput, type JudgeState } from "../../src/guard/judge.ts";
import type { MarkCause } from "../../src/guard/judge-state.ts";
import type { Instance } from "../../src/guard/loss.ts";
import type { Verdict } from "../../src/guard/verdict.ts";

/** One operation in the simulated venue. */
export type SimulatedOperation = {
  readonly at: number;
  readonly operation: Operation;
  readonly region: string;
  readonly instance: Instance;
  readonly cohort: string;
  readonly source: Source;
};

export type GuardWorldOptions = {
  readonly seed: number;
  /** User operations per second over both regions. Default 300. */
  readonly liveRate?: number;
  /** Share of operations that fail in health, bursts included. Default 0.001. */
  readonly baseline?: number;
  /** How the operations of a burst lie: `spread` over whoever comes next, or `together` on one gateway and cohort. Default spread. */
  readonly bursts?: "spread" | "together";
  readonly suspectForMs?: number;
  readonly budget?: number;
  /** The baseline that the plan states, in per cent. Default 0.1. */
  readonly atMostPct?: number;
  /** How often counters are read, ms; a multiple of 100. Default 100, as the guard's thread does. */
  readonly liveBinMs?: number;
};

const OPERATIONS: readonly Operation[] = ["order", "amend", "cancel"];
const REGIONS = ["tokyo", "frankfurt"] as const;
const STEP_MS = 100;

/** A venue of two regions with six gateways each, seen by probes and through counters in bins of 100 ms, and a judge that looks on. No clock, no timer. */
export const guardWorld = (options: GuardWorldOptions) => {
  const random = randomOf(options.seed);
  const { liveRate = 300, baseline = 0.001, bursts = "spread", liveBinMs = 100 } = options;
  const guard = {
    operations: OPERATIONS,
    falseAlarmEveryMs: 30 * 86_400_000,
    baselineAtMostPct: options.atMostPct ?? 0.1,
    slowerThanMs: 250,
    deadlineMs: 250,
    probesPerSec: 30,
    suspectForMs: options.suspectForMs ?? 10_000,
    holdForMs: 600_000,
    ...(options.budget === undefined ? {} : { budgetFailedOperations: options.budget }),
  };
  let state: JudgeState = startJudging(
    settingsOf(
      guard,
      REGIONS.map((region) => ({ region, isProbed: true })),
      true,
    ),
    0,
  );
  let now = 0;
  let instances: readonly Instance[] = REGIONS.flatMap((region) =>
    Array.from({ length: 6 }, (_, index) => ({
      id: `${region}-${index}`,
      region,
      release: "gateway@1.0",
      side: "old" as const,
      inTraffic: true,
    })),
  );
  let fails: (operation: SimulatedOperation) => boolean = () => false;
  let gone: (instance: Instance) => boolean = () => false;
  let liveCounts = new Map<string, Mutable>();
  let burstLeft = 0;
  let burstAt: SimulatedOperation | undefined;
  let firstFailedAt: number | undefined;
  const verdicts: Verdict[] = [];

  const put = (input: JudgeInput): void => {
    const before = state.verdict;
    state = judge(state, input).state;
    if (state.verdict !== before) verdicts.push(state.verdict);
  };
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

  const liveOperation = (at: number): SimulatedOperation | undefined => {
    const region = pick(REGIONS);
    const serving = instances.filter((instance) => instance.region === region && instance.inTraffic && !gone(instance));
    return serving.length === 0
      ? undefined
      : {
          at,
          operation: OPERATIONS[drawOperation(random())] ?? "order",
          region,
          instance: pick(serving),
          cohort: `shard-${Math.floor(random() * 10)}`,
          source: "live",
        };
  };
  const failsByLuck = (): boolean => {
    if (burstLeft > 0) {
      burstLeft--;
      return true;
    }
    if (random() >= baseline / 1.4) return false;
    if (random() < 0.2) burstLeft = 1 + Math.floor(random() * 3);
    return true;
  };
  const live = (from: number): void => {
    for (let at = from + gap(random, liveRate); at < from + STEP_MS; at += gap(random, liveRate)) {
      let operation = liveOperation(at);
      if (operation === undefined) continue;
      const isInBurst = burstLeft > 0;
      if (isInBurst && bursts === "together" && burstAt !== undefined) operation = { ...burstAt, at };
      const isLuck = failsByLuck();
      if (isLuck && !isInBurst) burstAt = operation;
      add(liveCounts, operation, isLuck || failed(operation));
    }
  };
  const failed = (operation: SimulatedOperation): boolean => {
    const isFailed = fails(operation);
    if (isFailed) firstFailedAt ??= operation.at;
    return isFailed;
  };

  let slot = 0;
  let unasked: (instance: Instance) => boolean = () => false;
  const probe = (from: number): { readonly counts: Map<string, Mutable>; readonly met: readonly string[] } => {
    const counts = new Map<string, Mutable>();
    const met = new Set<string>();
    for (let index = 0; index < 3; index++, slot++) {
      for (const region of REGIONS) {
        const [round, account] = [Math.floor(slot / 10), slot % 10];
        const members = instances.filter((instance) => instance.region === region);
        const [fresh, old] = [
          members.filter((instance) => instance.side === "new" && !unasked(instance)),
          members.filter(({ side, inTraffic }) => side === "old" && inTraffic),
        ];
        const inTraffic = members.filter((member) => member.inTraffic);
        const targets = fresh.length > 0 && old.length > 0 ? [inTraffic, fresh, old, fresh] : [inTraffic];
        const among = targets[(round + account) % targets.length] ?? members;
        const instance = pick(among);
        if (instance === undefined) continue;
        const operation: SimulatedOperation = {
          at: from + index * 33,
          operation: OPERATIONS[round % 3] ?? "order",
          region,
          instance,
          cohort: `shard-${account}`,
          source: "probes",
        };
        const isGone = gone(instance);
        const isFailed = isGone || failed(operation) || random() < baseline;
        add(counts, operation, isFailed, isGone);
        if (among !== inTraffic && !isFailed) met.add(instance.id);
      }
    }
    return { counts, met: [...met] };
  };

  const world = {
    /** Lets time pass. */
    run(ms: number, until: (verdict: Verdict) => boolean = () => false): void {
      for (const end = now + ms; now < end;) {
        live(now);
        const { counts, met } = probe(now);
        now += STEP_MS;
        put({ ...binOf(now, STEP_MS, counts), met });
        if (now % liveBinMs === 0) {
          put({ kind: "reach", at: now, gone: instances.filter(gone).map(({ id }) => id), unreadable: [] });
          put(binOf(now, liveBinMs, liveCounts));
          liveCounts = new Map();
        }
        if (until(state.verdict)) return;
      }
    },
    mark(cause: MarkCause): void {
      put({ kind: "mark", at: now, cause });
    },
    /** Replaces instances; those named run the new release and take users. */
    upgrade(ids: readonly string[], release = "gateway@2.0"): void {
      world.set((instance) =>
        ids.includes(instance.id) ? { ...instance, release, side: "new", inTraffic: true } : instance,
      );
    },
    withdraw(): void {
      world.set((instance) => (instance.side === "new" ? { ...instance, inTraffic: false } : instance));
    },
    set(change: (instance: Instance) => Instance): void {
      instances = instances.map(change);
      put({ kind: "instances", at: now, instances });
    },
    fail(when: (operation: SimulatedOperation) => boolean, share = 1): void {
      fails = (operation) => when(operation) && random() < share;
      firstFailedAt = undefined;
    },
    /** No probe is sent to these for themselves. */
    leaveUnasked(which: (instance: Instance) => boolean): void {
      unasked = which;
    },
    kill(which: (instance: Instance) => boolean): void {
      gone = which;
    },
    put,
    now: (): number => now,
    state: (): JudgeState => state,
    verdict: (): Verdict => state.verdict,
    verdicts: (): readonly Verdict[] => verdicts,
    firstFailedAt: (): number | undefined => firstFailedAt,
  };
  put({ kind: "instances", at: 0, instances });
  return world;
};

export type GuardWorld = ReturnType<typeof guardWorld>;

type Mutable = { -readonly [Key in keyof Count]: Count[Key] };

const add = (
  counts: Map<string, Mutable>,
  { operation, region, instance, cohort, source }: SimulatedOperation,
  isFailed: boolean,
  isUnreached = false,
): void => {
  const side: CountSide = instance.side;
  const key = `${operation} ${region} ${instance.release} ${cohort} ${instance.inTraffic}`;
  const count = counts.get(key) ?? {
    operation,
    region,
    release: instance.release,
    side,
    cohort,
    source,
    issued: 0,
    failed: 0,
    unreached: 0,
    codes: {},
    isExposed: instance.inTraffic,
  };
  count.issued++;
  if (isFailed) {
    count.failed++;
    count.unreached = (count.unreached ?? 0) + (isUnreached ? 1 : 0);
    count.codes = { ...count.codes, "50026": (count.codes?.["50026"] ?? 0) + 1 };
  }
  counts.set(key, count);
};

const binOf = (at: number, ms: number, counts: ReadonlyMap<string, Count>): CountBin => ({
  kind: "bin",
  at,
  ms,
  counts: [...counts.values()],
});

const gap = (random: () => number, rate: number): number => (-Math.log(1 - random()) * 1000) / rate;
const drawOperation = (draw: number): number => (draw < 0.45 ? 0 : draw < 0.7 ? 1 : 2);

/** mulberry32. */
const randomOf = (seed: number): (() => number) => {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
