import { randomUUID } from "node:crypto";
import type { CountBin } from "../../guard/count.ts";
import {
  baselineAdvice,
  evidenceMissing,
  isTroubledNow,
  judge,
  provenBy,
  readingsOf,
  settingsOf,
  startJudging,
  type JudgeInput,
  type JudgeState,
} from "../../guard/judge.ts";
import type { HealthNeed } from "../../guard/health.ts";
import type { ProbeFill } from "../../guard/probe-fill.ts";
import type { StreamReading, VerdictState } from "../../guard/verdict.ts";
import type { Operation } from "../../plan/model.ts";
import { originOf } from "../../plan/probe-origin.ts";
import type { ProbeSchedule, ProofOrder, WatchConfig, WatchedInstance, WatchPulse } from "../../ports/watcher.ts";
import { judgedRegions } from "./judged-regions.ts";
import { watchLag } from "./lag.ts";
import type { FromThread, ToThread } from "./messages.ts";
import type { ProbeOutcome } from "./probe-chain.ts";
import { countsOf, metIn } from "./probe-counts.ts";
import { remoteProbes, type RemoteProbes } from "./prober/remote-probes.ts";
import { proveByRegion, type Prover } from "./prove-by-region.ts";
import { proveInstances } from "./prove.ts";
import { startRecorder, type Recorder } from "./recorder.ts";
import { regionProbes, type RegionProbes } from "./region-probes.ts";
import type { LiveSource } from "./sources/live-source.ts";
import { loadSources } from "./sources/load-sources.ts";
import { startTotals } from "./totals.ts";

/** What runs inside the guard's thread: feeds the judge, answers questions, and says what changed. */
export type Watch = { handle(message: ToThread): Promise<void> };

const TICK_MS = 50;
const PULSE_MS = 200;
/** Bounds of the baseline take a while to compute, and change slowly. */
const ADVICE_MS = 5_000;

export const startWatch = (send: (message: FromThread) => void): Watch => {
  let running: Running | undefined;
  return {
    async handle(message) {
      if (message.kind === "start") {
        running = run(message.config, send);
        await running.start();
        send({ kind: "started" });
      } else if (message.kind === "stop") {
        await running?.stop();
        send({ kind: "stopped" });
      } else running?.handle(message);
    },
  };
};

type Running = {
  start(): Promise<void>;
  handle(message: Exclude<ToThread, { kind: "start" | "stop" }>): void;
  stop(): Promise<void>;
};

/** Monotonic time, told as wall clock. */
const wallOf = (monotonic: number): number => Math.round(performance.timeOrigin + monotonic);
const now = (): number => wallOf(performance.now());

const run = (config: WatchConfig, send: (message: FromThread) => void): Running => {
  const { guard, counters } = config;
  const regionsJudged = judgedRegions(config);
  const settings = settingsOf(guard, regionsJudged, counters !== undefined);
  let state: JudgeState = startJudging(settings, now());
  let instances: readonly WatchedInstance[] = [];
  let isStopping = false;
  const questions = new Map<number, HealthNeed>();
  const proofs = new Map<number, AbortController>();
  const lag = watchLag();
  const totals = startTotals(settings.counted.length > 0, settings.uncounted);
  const fills = new Map<string, ProbeFill>();

  let advice: { readonly at: number; readonly text: string | undefined } = { at: -Infinity, text: undefined };
  const advised = (): Pick<WatchPulse, "baselineAdvice"> => {
    if (state.at - advice.at >= ADVICE_MS) advice = { at: state.at, text: baselineAdvice(state) };
    return advice.text === undefined ? {} : { baselineAdvice: advice.text };
  };

  let recorder: Recorder | undefined;
  const feed = (input: JudgeInput): void => {
    recorder?.note(input);
    const before = state.verdict;
    state = judge(state, input).state;
    if (state.verdict !== before && !isStopping) send({ kind: "verdict", verdict: state.verdict });
  };
  const leaving = new Map<string, ReadonlySet<string>>();
  /** Who announced that it leaves is not missed when it is gone. */
  const tellInstances = (): void =>
    feed({
      kind: "instances",
      at: now(),
      instances: instances.map((instance) =>
        leaving.get(instance.region)?.has(instance.id) === true ? { ...instance, inTraffic: false } : instance,
      ),
    });
  const answer = (): void => {
    for (const [id, need] of questions) {
      if (evidenceMissing(state, need) !== undefined) continue;
      questions.delete(id);
      send({ kind: "evidence", id, verdict: provenBy(state, need) });
    }
  };
  const onBin = (bin: CountBin): void => {
    totals.add(bin, now());
    // What happens on instances that users don't reach is the proof's business, or told by pinned probes.
    feed({ ...bin, counts: bin.counts.filter((count) => count.source === "probes" || count.isExposed !== false) });
    answer();
  };
  const noteOutcome = (outcome: ProbeOutcome, region: string, release: string, cohort: string): void => {
    if (outcome.unlisted !== undefined) totals.unlisted(outcome.unlisted, "probes", 1);
    if (outcome.kind === "ok") totals.probed(outcome.operation, { region, release, cohort }, undefined);
    else if (outcome.kind === "failed" && outcome.isReached)
      totals.probed(outcome.operation, { region, release, cohort }, outcome.code);
  };

  /** Where counters are read refusals show there, together with those of users. */
  const telling = (region: string): { readonly region: string; readonly countsRefusals: boolean } => ({
    region,
    countsRefusals: !settings.counted.includes(region) || settings.uncounted.includes(region),
  });

  // Orders of a venue are seen through every region of it.
  const origins = config.regions.flatMap(({ probe }) => (probe?.kind === "okx" ? [originOf(probe)] : []));
  const reports = (region: string) => ({
    onOutcome: (outcome: ProbeOutcome, release: string, cohort: string) =>
      noteOutcome(outcome, region, release, cohort),
    onLeaving: (ids: ReadonlySet<string>) => {
      leaving.set(region, ids);
      tellInstances();
    },
    onFarewell: (instance: string, operation: Operation, code: string) => {
      for (const source of sources) source.forgive(instance, operation, code);
    },
    onFill: (fill: ProbeFill) => void fills.set(fill.clOrdId, fill),
    onSilence: (operation: Operation, why: string) => feed({ kind: "silent", at: now(), operation, region, why }),
  });
  const regions: readonly RegionProbes[] = config.regions.flatMap(({ region, probe, accounts, isRemote, ...known }) =>
    probe === undefined || isRemote === true
      ? []
      : [
          regionProbes({
            region,
            probe,
            accounts,
            cohorts: known.cohorts ?? [],
            ...(known.rules === undefined ? {} : { rules: known.rules }),
            ...(config.left === undefined ? {} : { left: `${config.left}-${region}.ndjson` }),
            guard,
            prefix: config.orderPrefix,
            lag,
            onSamples: ({ from, to, samples }) =>
              onBin({
                kind: "bin",
                at: wallOf(to),
                ms: to - from,
                counts: countsOf(samples, telling(region)),
                ...metIn(samples),
              }),
            otherOrigins: origins.filter((origin) => origin !== originOf(probe)),
            ...reports(region),
          }),
        ],
  );
  const session = randomUUID().slice(0, 8);
  const remote: readonly RemoteProbes[] = config.regions.flatMap(({ region, probe, isRemote }) =>
    probe === undefined || isRemote !== true
      ? []
      : [
          remoteProbes({
            region,
            operations: guard.operations,
            session,
            now: () => performance.now(),
            isDisturbed: () => isTroubledNow(state),
            order: (text) => send({ kind: "order", region, text }),
            onSamples: ({ issuedFrom, from, to, samples }) =>
              onBin({
                kind: "bin",
                at: wallOf(to),
                ms: Math.max(1, Math.round(to - from)),
                // Until an order was read there, nobody knows how old it may be.
                from: issuedFrom === -Infinity ? 0 : wallOf(issuedFrom),
                counts: countsOf(samples, telling(region)),
                ...metIn(samples),
              }),
            onRefused: (refused) => send({ kind: "refused", region, ...refused }),
            ...reports(region),
          }),
        ],
  );
  let sources: readonly LiveSource[] = [];
  const timers: NodeJS.Timeout[] = [];

  const pulse = (): WatchPulse => {
    const schedule = worstOf([...regions, ...remote].map((region) => region.schedule()));
    return {
      ...totals.pulse(now(), stateIn(readingsOf(state))),
      ...(fills.size === 0 ? {} : { fills: [...fills.values()] }),
      ...(schedule === undefined ? {} : { schedule }),
    };
  };

  const prove = (id: number, order: ProofOrder): void => {
    const abort = new AbortController();
    proofs.set(id, abort);
    const onOutcome = (instance: WatchedInstance, outcome: ProbeOutcome, cohort: string): void =>
      noteOutcome(outcome, instance.region, instance.release, cohort);
    const here: Prover = {
      regions: config.regions.filter(({ isRemote }) => isRemote !== true).map(({ region }) => region),
      prove: (one, signal) =>
        proveInstances(one, { guard, regions, lag, isDisturbed: () => isTroubledNow(state), onOutcome }, signal),
    };
    const there = remote.map((probes): Prover => ({
      regions: [probes.region],
      prove: (one, signal) => probes.prove(one, signal),
    }));
    proveByRegion(order, [here, ...there], abort.signal)
      .then(
        (result) => send({ kind: "proof", id, result }),
        () => undefined,
      )
      .finally(() => proofs.delete(id));
  };

  return {
    async start() {
      const [startSources] = await Promise.all([
        loadSources(config),
        ...regions.map((region) => region.clean()),
        ...remote.map((region) => region.ready()),
      ]);
      // The time that starting took is no silence.
      state = { ...state, startedAt: now(), at: now() };
      if (config.record !== undefined)
        recorder = startRecorder(config.record, {
          kind: "recording",
          midflight: 1,
          at: state.at,
          guard,
          regions: regionsJudged,
          hasCounters: counters !== undefined,
        });
      sources = startSources({
        now,
        lagSince: (from) => lag.since(from),
        onBin,
        onReach: feed,
        onSight: feed,
        onUnlisted: (seen, times) => totals.unlisted(seen, "live", times),
      });
      for (const source of sources) source.instances(instances);
      for (const region of regions) region.start();
      timers.push(setInterval(() => feed({ kind: "tick", at: now() }), TICK_MS));
      timers.push(setInterval(() => send({ kind: "pulse", pulse: { ...pulse(), ...advised() } }), PULSE_MS));
    },
    handle(message) {
      switch (message.kind) {
        case "instances":
          instances = message.instances;
          for (const source of sources) source.instances(instances);
          for (const region of [...regions, ...remote]) region.instances(instances);
          return tellInstances();
        case "mark":
          return feed({ kind: "mark", at: now(), cause: message.mark.cause });
        case "evidence":
          questions.set(message.id, message.need);
          return answer();
        case "prove":
          return prove(message.id, message.order);
        case "prober":
          return remote.find(({ region }) => region === message.region)?.hear(message.news);
        case "abandon":
          questions.delete(message.id);
          return proofs.get(message.id)?.abort();
      }
    },
    async stop() {
      isStopping = true;
      for (const timer of timers) clearInterval(timer);
      for (const abort of proofs.values()) abort.abort();
      questions.clear();
      for (const region of remote) region.stop();
      await Promise.all([...sources, ...regions].map((part) => part.stop()));
      await recorder?.end();
      lag.stop();
    },
  };
};

/** The region whose probes keep to their schedule worst. */
const worstOf = (schedules: readonly ProbeSchedule[]): ProbeSchedule | undefined =>
  schedules.toSorted((a, b) => b.lagP99Ms - a.lagP99Ms).find(({ slots }) => slots > 0);

/** The state of a stream since the last mark, for sums that began earlier. */
const stateIn =
  (readings: readonly StreamReading[]) =>
  (reading: StreamReading): VerdictState =>
    readings.find(
      (known) =>
        known.operation === reading.operation &&
        known.region === reading.region &&
        known.release === reading.release &&
        known.source === reading.source,
    )?.state ?? "unknown";
