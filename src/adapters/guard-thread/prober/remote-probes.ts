import type { ProbeFill } from "../../../guard/probe-fill.ts";
import type { ProofResult } from "../../../guard/proof.ts";
import type { Operation } from "../../../plan/model.ts";
import type { ProbeSchedule, ProofOrder, WatchedInstance } from "../../../ports/watcher.ts";
import type { ProbeOutcome } from "../probe-outcome.ts";
import type { Sample } from "../probe-counts.ts";
import { servedBy, targetsOf } from "../served-by.ts";
import { startClockBounds, type ClockBounds } from "./clock-bounds.ts";
import { readLine, type ProberLine, type SumKey } from "./prober-line.ts";
import { BEAT_MS, type ProberOrders } from "./prober-orders.ts";
import { readSums, type Grown } from "./read-sums.ts";

/** Probes that run in their region, as the guard knows them: told by their lines, and judged like those beside it. */
export type RemoteProbes = {
  readonly region: string;
  readonly schedule: () => ProbeSchedule;
  instances(instances: readonly WatchedInstance[]): void;
  /** Something came from there. */
  hear(news: ProberNews): void;
  /** Resolves once its probes are at work, were refused, or have not come for a while: then their silence speaks. */
  ready(): Promise<void>;
  /** Probes instances of the region directly, from within it. */
  prove(order: ProofOrder, signal: AbortSignal): Promise<ProofResult>;
  stop(): void;
};

export type ProberNews =
  | { readonly kind: "line"; readonly text: string }
  | { readonly kind: "trouble"; readonly why: string | undefined };

export type RemoteProbesOptions = {
  readonly region: string;
  readonly operations: readonly Operation[];
  /** Names this guard. */
  readonly session: string;
  /** Monotonic ms. */
  readonly now: () => number;
  /** Whether the venue itself is in trouble: what fails then is not held against an instance. */
  readonly isDisturbed: () => boolean;
  readonly order: (text: string) => void;
  readonly onSamples: (bin: RemoteBin) => void;
  readonly onOutcome: (outcome: ProbeOutcome, release: string, cohort: string) => void;
  readonly onSilence: (operation: Operation, why: string) => void;
  readonly onFill: (fill: ProbeFill) => void;
  readonly onLeaving: (ids: ReadonlySet<string>) => void;
  readonly onFarewell: (instance: string, operation: Operation, code: string) => void;
  readonly onRefused: (refused: NonNullable<ProberLine["refused"]>) => void;
};

/** Times by our own monotonic clock. `issuedFrom`: as early as the first of them may have been issued. */
export type RemoteBin = {
  readonly issuedFrom: number;
  readonly from: number;
  readonly to: number;
  readonly samples: readonly Sample[];
};

/** No line for so long is silence: it prints ten a second. */
const SILENT_MS = 1_000;
const LOOK_MS = 100;
/** An image may have to be pulled first. */
const READY_MS = 30_000;
/** After its deadline a proof is given time to say why it was not decided. */
const LAST_WORD_MS = 2_000;
const NO_SCHEDULE: ProbeSchedule = { slots: 0, missed: 0, lagP50Ms: 0, lagP99Ms: 0 };

export const remoteProbes = (options: RemoteProbesOptions): RemoteProbes => {
  const { region, now, session } = options;
  let instances: readonly WatchedInstance[] = [];
  const exposed = new Set<string>();
  const proofs = new Map<string, { readonly order: ProofOrder; readonly done: (result: ProofResult) => void }>();
  const sentAt = new Map<number, number>();
  const atWork = Promise.withResolvers<void>();
  let number = 0;
  let whole = 0;
  let isWholeAsked = false;
  let told = "";
  const sums = readSums();
  let clock: ClockBounds = startClockBounds();
  let heardAt = -Infinity;
  let trouble: string | undefined;
  let isIdle = false;
  let leaving = "";
  let last: ProberLine | undefined;

  const order = (): void => {
    number += 1;
    sentAt.set(number, now());
    sentAt.delete(number - MOST_SENT);
    const orders: ProberOrders = {
      session,
      number,
      whole,
      instances,
      proofs: [...proofs.values()].map((one) => one.order),
    };
    told = JSON.stringify([whole, instances, [...proofs.keys()]]);
    options.order(JSON.stringify(orders));
  };
  const orderIfNew = (): void => {
    if (told !== JSON.stringify([whole, instances, [...proofs.keys()]])) order();
  };

  const silence = (): string | undefined => {
    if (trouble !== undefined) return `the probes of ${region} ${trouble}`;
    const silentMs = now() - heardAt;
    if (heardAt === -Infinity) return `the probes of ${region} have not begun`;
    if (silentMs > SILENT_MS) return `the probes of ${region} have said nothing for ${(silentMs / 1_000).toFixed(1)} s`;
    if (isIdle) return `the probes of ${region} hear no order`;
    const lateMs = last === undefined ? 0 : heardAt - clock.latest(last.at);
    return lateMs > SILENT_MS
      ? `what the probes of ${region} say comes ${(lateMs / 1_000).toFixed(1)} s late`
      : undefined;
  };
  const look = (): void => {
    const why = silence();
    if (why !== undefined) for (const operation of options.operations) options.onSilence(operation, why);
  };

  const take = (line: ProberLine): void => {
    const heard = sums(line);
    if (heard.kind === "known" || heard.kind === "late") return;
    heardAt = now();
    if (last !== undefined && last.boot !== line.boot) clock = startClockBounds();
    last = line;
    isIdle = line.isIdle === true;
    clock.heard(line.at, heardAt);
    const sent = line.order?.session === session ? sentAt.get(line.order.number) : undefined;
    if (line.order !== undefined && sent !== undefined) {
      clock.read(line.order.readAt, sent);
      if (!isIdle) atWork.resolve();
    }
    if (line.refused !== undefined) {
      options.onRefused(line.refused);
      return atWork.resolve();
    }
    if (heard.kind === "unsure" && !isWholeAsked) {
      isWholeAsked = true;
      whole += 1;
      order();
    }
    if (heard.kind === "grown") {
      isWholeAsked = false;
      count(heard.grown);
    }
    for (const [operation, why] of line.silent ?? []) options.onSilence(operation, why);
    for (const fill of line.fills ?? []) options.onFill(fill);
    tellLeaving(line.leaving ?? []);
    for (const { id, result } of line.proofs ?? []) proofs.get(id)?.done(result);
  };

  const tellLeaving = (ids: readonly string[]): void => {
    if (leaving === ids.join(" ")) return;
    leaving = ids.join(" ");
    options.onLeaving(new Set(ids));
  };

  const count = ({ from, to, sums: grown }: Grown): void => {
    const samples = grown.flatMap(([key, times]) => Array.from({ length: times }, () => noted(key)).flat());
    if (to <= from && samples.length === 0) return;
    options.onSamples({ issuedFrom: clock.earliest(from), from: clock.latest(from), to: clock.latest(to), samples });
  };

  const noted = (key: SumKey): readonly Sample[] => {
    if (key.kind === "farewell") {
      options.onFarewell(key.instance, key.operation, key.code);
      return [];
    }
    const { outcome, cohort } = key;
    const target = instances.find(({ id }) => id === key.target);
    const served = servedBy(instances, region, target, outcome);
    options.onOutcome(outcome, served.release, cohort);
    if (key.kind === "proof") return [];
    // It may have been sent before its orders said that the instance is gone.
    const hasLeft =
      key.target !== undefined && !targetsOf(instances, exposed, region).some(({ id }) => id === key.target);
    const isPassedOver = key.isPassedOver === true || (hasLeft && (target === undefined || outcome.kind !== "ok"));
    const isSlow = key.isSlow === true;
    return [
      {
        outcome,
        cohort,
        served,
        isSlow,
        ...(key.target === undefined ? {} : { target: key.target }),
        ...(isPassedOver ? { isPassedOver } : {}),
      },
    ];
  };

  const proved = (one: ProofOrder, signal: AbortSignal): Promise<ProofResult> =>
    new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(late);
        signal.removeEventListener("abort", aborted);
        proofs.delete(one.id);
        orderIfNew();
      };
      const done = (result: ProofResult): void => {
        over();
        resolve(result);
      };
      const aborted = (): void => {
        over();
        reject(signal.reason as Error);
      };
      const late = setTimeout(
        () =>
          done({ kind: "undecided", reason: silence() ?? `the probes of ${region} said nothing of it`, outcomes: 0 }),
        one.deadlineMs + LAST_WORD_MS,
      );
      signal.addEventListener("abort", aborted, { once: true });
      if (signal.aborted) return aborted();
      proofs.set(one.id, { order: one, done });
      orderIfNew();
    });

  order();
  const timers = [setInterval(order, BEAT_MS), setInterval(look, LOOK_MS)];
  return {
    region,
    schedule: () => last?.schedule ?? NO_SCHEDULE,
    instances(watched) {
      instances = watched.filter((instance) => instance.region === region);
      for (const { id, inTraffic } of instances) if (inTraffic) exposed.add(id);
      orderIfNew();
    },
    hear(news) {
      if (news.kind === "trouble") {
        trouble = news.why;
        return;
      }
      const line = readLine(news.text);
      if (line !== undefined) take(line);
    },
    async ready() {
      const late = setTimeout(atWork.resolve, READY_MS);
      await atWork.promise;
      clearTimeout(late);
    },
    async prove(wanted, signal) {
      const startedAt = now();
      for (let turn = 1; ; turn += 1) {
        const spentMs = now() - startedAt;
        const deadlineMs = Math.max(1, wanted.deadlineMs - spentMs);
        const result = await proved({ ...wanted, id: `${session}.${wanted.id}.${turn}`, deadlineMs }, signal);
        if (result.kind === "undecided") return result;
        if (result.kind === "refuted" && options.isDisturbed() && spentMs < wanted.deadlineMs) continue;
        return { ...result, ms: Math.round(now() - startedAt) };
      }
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
      atWork.resolve();
    },
  };
};

const MOST_SENT = 100;
