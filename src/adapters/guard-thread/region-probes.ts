import type { ProbeFill } from "../../guard/probe-fill.ts";
import { cohortOver } from "../../guard/protocol.ts";
import type { Rules } from "../../guard/rules.ts";
import type { Operation, PlanGuard, ProbeTarget } from "../../plan/model.ts";
import { originOf } from "../../plan/probe-origin.ts";
import type { ProbeAccount, ProbeCohort, ProbeSchedule, WatchedInstance } from "../../ports/watcher.ts";
import { collectBins } from "./bins.ts";
import { httpProbes } from "./http-probes.ts";
import { noticeLeaving } from "./leaving.ts";
import type { Lag } from "./lag.ts";
import { okxProbes } from "./okx-probes.ts";
import { startPacer } from "./pacer.ts";
import type { ProbeChain, ProbeOutcome } from "./probe-chain.ts";
import { metIn, type Sample } from "./probe-counts.ts";
import type { ProbeSystem } from "./probe-system.ts";
import { watchSchedule } from "./schedule.ts";
import { servedBy, targetsOf } from "./served-by.ts";

/** Probes of one region: evenly spaced operations of several accounts, through its public address and pinned to releases. */
export type RegionProbes = {
  readonly region: string;
  /** Whether probes trade over WebSocket too. */
  readonly hasSockets: boolean;
  /** How well probes keep to their schedule. */
  readonly schedule: () => ProbeSchedule;
  /** Chains of their own for a proof; they share the accounts' rate limits. */
  chains(): readonly ProbeChain[];
  instances(instances: readonly WatchedInstance[]): void;
  /** Cancels leftovers of an earlier run, and sells what they bought. */
  clean(): Promise<void>;
  /** Begins to probe. */
  start(): void;
  stop(): Promise<void>;
};

export type RegionProbesOptions = {
  readonly region: string;
  readonly probe: ProbeTarget;
  readonly accounts: readonly ProbeAccount[];
  /** Of a probe over HTTP. */
  readonly cohorts: readonly ProbeCohort[];
  readonly rules?: Rules;
  /** File for what a probe over HTTP leaves open. */
  readonly left?: string;
  /** Public addresses of the other regions, for looking after orders when this one is gone. */
  readonly otherOrigins: readonly string[];
  readonly guard: PlanGuard;
  readonly prefix: string;
  readonly lag: Lag;
  /** All that was issued in a time, and has ended. */
  readonly onSamples: (bin: SampleBin) => void;
  readonly onOutcome: (outcome: ProbeOutcome, release: string, cohort: string) => void;
  readonly onSilence: (operation: Operation, why: string) => void;
  /** Somebody traded with a probe order; told again whenever its state changes. */
  readonly onFill: (fill: ProbeFill) => void;
  /** Instances that announced that they leave: no longer counted among those that should serve. */
  readonly onLeaving: (ids: ReadonlySet<string>) => void;
  /** A pinned probe met an instance that is leaving; its counter shows a failure that no user had. */
  readonly onFarewell: (instance: string, operation: Operation, code: string) => void;
};

/** Outcomes of operations that were issued between two monotonic times. */
export type SampleBin = { readonly from: number; readonly to: number; readonly samples: readonly Sample[] };

const BIN_MS = 100;
const FLUSH_MS = 25;
/** A connection that idles for so long may be closed by the other side. For so long after we stood still, such ones are met. */
const IDLE_MS = 1_000;
const AWAKE_MS = 250;
/** Proxies learn of a switch a little later than it is done, such as those of Kubernetes within a second. */
const SWITCHED_MS = 1_500;

export const regionProbes = (options: RegionProbesOptions): RegionProbes => {
  const { region, guard, lag } = options;
  const origin = originOf(options.probe);
  const system = systemOf(options);
  let instances: readonly WatchedInstance[] = [];
  const exposed = new Set<string>();
  /** Who did as a probe of its own asked. */
  const met = new Set<string>();
  const leaving = noticeLeaving();
  const targets = (): readonly WatchedInstance[] => targetsOf(instances, exposed, region);
  const schedule = watchSchedule();
  const own = system.chains();
  const bins = collectBins<Sample>(
    BIN_MS,
    () => performance.now(),
    ({ from, to, outcomes }) => options.onSamples({ from, to, samples: outcomes }),
  );

  /** Whether this thread stood still, and the failure may be of nothing else: a deadline that passed, or a connection that the other side gave up meanwhile. */
  const isOursAlone = (code: string, from: number): boolean =>
    code === "timeout" || code === "not shown"
      ? lag.since(from) > guard.deadlineMs / 3
      : code === "cut" && lag.since(from - AWAKE_MS) > IDLE_MS;

  const probe = async (chain: ProbeChain, target: WatchedInstance | undefined): Promise<void> => {
    const settle = bins.issue();
    const from = performance.now();
    const outcome = await chain.step(target === undefined ? origin : new URL(target.url).origin);
    // Time in which this thread stood still is no time of the venue's.
    const tookMs = performance.now() - from - lag.since(from);
    const isOurs = outcome.kind === "failed" && isOursAlone(outcome.code, from);
    const isFarewell = target !== undefined && noteLeaving(target, outcome);
    const hasLeft = target !== undefined && !targets().some(({ id }) => id === target.id);
    if (outcome.kind === "none") options.onSilence(outcome.operation, outcome.why);
    const served = servedBy(instances, region, target, outcome);
    const cohort = cohortOver(outcome.protocol ?? "REST", chain.account.cohort);
    options.onOutcome(outcome, served.release, cohort);
    const sample: Sample = {
      outcome,
      isSlow: outcome.kind === "ok" && tookMs > guard.slowerThanMs,
      cohort,
      served,
      ...(target === undefined ? {} : { target: target.id }),
      ...(isOurs || isFarewell || schedule.trouble() !== undefined || (hasLeft && outcome.kind !== "ok")
        ? { isPassedOver: true }
        : {}),
    };
    for (const id of metIn([sample]).met ?? []) met.add(id);
    settle(sample);
  };

  const onSlot = (slot: number): void => {
    bins.flush();
    const trouble = system.trouble();
    const why = trouble?.why ?? schedule.trouble();
    if (why !== undefined) for (const operation of guard.operations) options.onSilence(operation, why);
    if (trouble?.isBarred === true) return;
    const [round, seat] = [Math.floor(slot / own.length), slot % own.length];
    // Whoever is still busy with a slow answer is passed over; nothing piles up.
    const chain = rotated(own, seat).find((candidate) => !candidate.isBusy() && candidate.next() !== undefined);
    if (chain !== undefined)
      void probe(
        chain,
        pinned(
          firstUnmet(
            targets().filter(({ id }) => !leaving.isAvoided(id)),
            met,
          ),
          round,
          seat,
        ),
      );
  };

  const noteLeaving = (target: WatchedInstance, outcome: ProbeOutcome): boolean => {
    const before = leaving.announced().size;
    const isFarewell = leaving.note(target, outcome);
    if (leaving.announced().size !== before) options.onLeaving(leaving.announced());
    if (isFarewell && outcome.kind === "failed") options.onFarewell(target.id, outcome.operation, outcome.code);
    return isFarewell;
  };

  const timers: NodeJS.Timeout[] = [];
  const renewTwice = (): void => {
    system.renew();
    timers.push(setTimeout(() => system.renew(), SWITCHED_MS));
  };
  let pacer: { readonly stop: () => void } | undefined;

  return {
    region,
    hasSockets: system.hasSockets,
    schedule: schedule.read,
    chains: () => system.chains(),
    instances(watched) {
      const before = instances;
      instances = watched.filter((instance) => instance.region === region);
      if (isAnyHidden(before, instances)) renewTwice();
      for (const { id, inTraffic } of instances) if (inTraffic) exposed.add(id);
      const known = new Set(instances.map(({ id }) => id));
      leaving.keepOnly(known);
      for (const id of met) if (!known.has(id)) met.delete(id);
    },
    clean: () => system.clean(),
    start() {
      system.start(own);
      timers.push(setInterval(() => bins.flush(), FLUSH_MS));
      if (own.length > 0) pacer = startPacer(guard.probesPerSec, onSlot, { note: schedule.note });
    },
    async stop() {
      pacer?.stop();
      for (const timer of timers) clearTimeout(timer);
      await settled(own, 2 * guard.deadlineMs + 100);
      await system.stop();
    },
  };
};

/** Somebody who took users stands there still, and takes none any more. */
const isAnyHidden = (before: readonly WatchedInstance[], now: readonly WatchedInstance[]): boolean =>
  now.some((one) => !one.inTraffic && before.some(({ id, inTraffic }) => id === one.id && inTraffic));

const systemOf = ({ probe, guard, ...options }: RegionProbesOptions): ProbeSystem => {
  const common = { ...options, deadlineMs: guard.deadlineMs, newId: idsWith(options.prefix, options.region) };
  return probe.kind === "okx" ? okxProbes({ ...common, probe }) : httpProbes({ ...common, probe });
};

/** Of four operations of an account one goes through the public address, two to new instances and one to an old one, so that both sides have outcomes. */
const pinned = (targets: readonly WatchedInstance[], round: number, seat: number): WatchedInstance | undefined => {
  const side = ([undefined, "new", "old", "new"] as const)[(round + seat) % 4];
  const members = targets.filter((target) => target.side === side);
  return members[(Math.floor(round / 4) + seat) % Math.max(1, members.length)];
};

/** As long as new instances are left that nobody asked for themselves, those are asked in the place of all new ones: old ones leave only then. */
const firstUnmet = (targets: readonly WatchedInstance[], met: ReadonlySet<string>): readonly WatchedInstance[] => {
  const isUnmet = ({ id, side, inTraffic }: WatchedInstance): boolean => side === "new" && inTraffic && !met.has(id);
  return targets.some(isUnmet) ? targets.filter((target) => target.side === "old" || isUnmet(target)) : targets;
};

const rotated = <T>(items: readonly T[], by: number): readonly T[] => [...items.slice(by), ...items.slice(0, by)];

const settled = async (chains: readonly ProbeChain[], mostMs: number): Promise<void> => {
  const until = performance.now() + mostMs;
  while (chains.some((chain) => chain.isBusy()) && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 10));
};

/** Unique over regions and restarts; at most 31 letters and digits, so that a sale can add one. */
const idsWith = (prefix: string, region: string): (() => string) => {
  const clean = `${prefix}${region.replaceAll(/[^a-zA-Z0-9]/g, "").slice(0, 3)}${Date.now().toString(36)}`;
  let count = 0;
  return () => `${clean}${(count++).toString(36).padStart(4, "0")}`.slice(-31);
};
