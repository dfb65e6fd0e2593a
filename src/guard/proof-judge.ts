import type { Operation } from "../plan/model.ts";
import { foldIntoBins, type BinStream } from "./detector/bin-stream.ts";
import { freshBins } from "./detector/bins.ts";
import { evidenceIn } from "./detector/mixture.ts";
import { isProvedHealthy, type HealthNeed, type Sample as HealthSample } from "./health.ts";
import { protocolOf } from "./protocol.ts";

/** Outcomes of direct probes at one instance within one bin. */
export type ProofCount = {
  readonly instance: string;
  readonly release: string;
  readonly operation: Operation;
  readonly cohort: string;
  readonly issued: number;
  readonly failed: number;
  readonly codes?: Readonly<Record<string, number>>;
};

export type ProofState = {
  readonly need: HealthNeed;
  readonly baselinePct: number;
  /** Instance × operation: each must be proved. */
  readonly wanted: readonly { readonly instance: string; readonly operation: Operation }[];
  readonly samples: Readonly<Record<string, Sample>>;
  /** The part of the samples that came over WebSocket. */
  readonly socketSamples: Readonly<Record<string, HealthSample>>;
  /** Whether WebSocket must be proved too. */
  readonly isSocketWanted: boolean;
  readonly streams: Readonly<Record<string, BinStream>>;
};

type Sample = ProofCount & { readonly codes: Readonly<Record<string, number>> };

export type ProofStanding =
  | { readonly kind: "open"; readonly missing: string; readonly outcomes: number }
  | { readonly kind: "proved"; readonly outcomes: number }
  | { readonly kind: "refuted"; readonly reason: string; readonly outcomes: number; readonly failed: number };

/** A false refutation costs an upgrade, once in ten thousand proofs. */
const REFUTED_AT = 1e4;

export const startProof = (
  instances: readonly string[],
  operations: readonly Operation[],
  how: { readonly need: HealthNeed; readonly baselinePct: number; readonly isSocketWanted?: boolean },
): ProofState => ({
  need: how.need,
  baselinePct: how.baselinePct,
  isSocketWanted: how.isSocketWanted ?? false,
  wanted: instances.flatMap((instance) => operations.map((operation) => ({ instance, operation }))),
  samples: {},
  socketSamples: {},
  streams: {},
});

/** Folds a closed bin. Times in ms. */
export const foldProof = (
  state: ProofState,
  bin: { readonly from: number; readonly to: number; readonly counts: readonly ProofCount[] },
): ProofState => {
  const samples = { ...state.samples };
  for (const count of bin.counts) samples[sampleKey(count)] = added(samples[sampleKey(count)], count);
  const socketSamples = { ...state.socketSamples };
  for (const count of bin.counts.filter(({ cohort }) => protocolOf(cohort) === "WebSocket"))
    socketSamples[sampleKey(count)] = sumOf(socketSamples[sampleKey(count)] ?? NONE, count);
  const streams = { ...state.streams };
  const p0 = Math.max(state.baselinePct / 100, 1e-6);
  for (const [key, counts] of groups(bin.counts)) {
    // Once, from a known instant: it begins with 1 and gets no more mass.
    const known = streams[key] ?? { mixture: freshBins.map(() => 1), restUntil: -Infinity };
    const [issued, failed] = [sum(counts, "issued"), sum(counts, "failed")];
    streams[key] = foldIntoBins(known, { issued, failed, seconds: 0, from: bin.from, to: bin.to }, p0);
  }
  return { ...state, samples, socketSamples, streams };
};

/** What the outcomes say so far. */
export const standingOfProof = (state: ProofState): ProofStanding => {
  const outcomes = sum(Object.values(state.samples), "issued");
  const failed = sum(Object.values(state.samples), "failed");
  const bad = [...new Set(state.wanted.map(({ instance }) => instance))].find(
    (instance) => !(instanceEvidence(state, instance) < REFUTED_AT),
  );
  if (bad !== undefined) return { kind: "refuted", reason: worstOf(state, bad), outcomes, failed };
  const open = state.wanted.find((wanted) => !isProved(state, wanted));
  return open === undefined
    ? { kind: "proved", outcomes }
    : { kind: "open", missing: missingOf(state, open), outcomes };
};

/** Average over the instance's operations and cohorts: evidence whatever hangs together with what. */
const instanceEvidence = (state: ProofState, instance: string): number => {
  const level = (prefix: string): number => {
    const streams = Object.entries(state.streams).filter(([key]) => key.startsWith(`${prefix} ${instance} `));
    return streams.length === 0
      ? 0
      : streams.reduce((total, [, { mixture }]) => total + evidenceIn(mixture), 0) / streams.length;
  };
  return (level("operation") + level("cohort")) / 2;
};

type Wanted = ProofState["wanted"][number];

const isProved = (state: ProofState, wanted: Wanted): boolean =>
  isProvedHealthy(sampleOf(state.samples, wanted), state.need, state.baselinePct) &&
  (!state.isSocketWanted || isSocketProved(state, wanted));

const isSocketProved = (state: ProofState, wanted: Wanted): boolean =>
  isProvedHealthy(sampleOf(state.socketSamples, wanted), socketNeed(state), state.baselinePct);

/** A part of the probes goes over WebSocket: it is asked whether that works at all. Finer faults show in both protocols together. */
const socketNeed = ({ need }: ProofState): HealthNeed => ({ ...need, excludePct: Math.max(need.excludePct, 50) });

const sampleOf = (samples: Readonly<Record<string, HealthSample>>, key: Wanted): HealthSample =>
  samples[sampleKey(key)] ?? NONE;
const sampleKey = ({ instance, operation }: Wanted): string => `${instance} ${operation}`;
const NONE: HealthSample = { issued: 0, failed: 0 };

const missingOf = (state: ProofState, wanted: Wanted): string => {
  const isPart = isProvedHealthy(sampleOf(state.samples, wanted), state.need, state.baselinePct);
  const { issued, failed } = sampleOf(isPart ? state.socketSamples : state.samples, wanted);
  const { excludePct, confidencePct } = isPart ? socketNeed(state) : state.need;
  return `${wanted.operation}${isPart ? OVER : ""} on ${wanted.instance}: ${failed} of ${issued} failed, too few to exclude ${excludePct} % with ${confidencePct} %`;
};

const worstOf = (state: ProofState, instance: string): string => {
  const samples = Object.values(state.samples).filter((sample) => sample.instance === instance && sample.failed > 0);
  const [worst] = samples.toSorted((a, b) => b.failed / b.issued - a.failed / a.issued);
  if (worst === undefined) return `${instance} fails`;
  const [code] = Object.entries(worst.codes).toSorted(([, a], [, b]) => b - a);
  const others = samples.length - 1;
  const socket = sampleOf(state.socketSamples, worst);
  const isSocket = failsOverSocketOnly(state, instance);
  const { issued } = isSocket ? socket : worst;
  return `${worst.operation}${isSocket ? OVER : ""} on ${instance} (${worst.release}): ${worst.failed} of ${issued} failed${code === undefined ? "" : `, mostly ${code[0]}`}${others > 0 ? `, and ${others} more ${others === 1 ? "operation fails" : "operations fail"}` : ""}`;
};

const OVER = " over WebSocket";

/** Nearly all that came over WebSocket fails, and nothing of the rest, which is large enough to show it. */
const failsOverSocketOnly = (state: ProofState, instance: string): boolean => {
  const total = (samples: Readonly<Record<string, HealthSample>>): HealthSample =>
    state.wanted
      .filter((wanted) => wanted.instance === instance)
      .reduce((soFar, wanted) => sumOf(soFar, sampleOf(samples, wanted)), NONE);
  const [socket, whole] = [total(state.socketSamples), total(state.samples)];
  return (
    socket.failed >= 3 &&
    socket.failed === whole.failed &&
    socket.failed >= 0.6 * socket.issued &&
    whole.issued - socket.issued >= 8
  );
};

const sumOf = (a: HealthSample, b: HealthSample): HealthSample => ({
  issued: a.issued + b.issued,
  failed: a.failed + b.failed,
});

const added = (known: Sample | undefined, count: ProofCount): Sample => {
  const codes = { ...known?.codes };
  for (const [code, times] of Object.entries(count.codes ?? {})) codes[code] = (codes[code] ?? 0) + times;
  return { ...count, codes, issued: (known?.issued ?? 0) + count.issued, failed: (known?.failed ?? 0) + count.failed };
};

const groups = (counts: readonly ProofCount[]): ReadonlyMap<string, readonly ProofCount[]> =>
  new Map([
    ...Map.groupBy(counts, ({ instance, operation }) => `operation ${instance} ${operation}`),
    ...Map.groupBy(counts, ({ instance, cohort }) => `cohort ${instance} ${cohort}`),
  ]);

const sum = (
  counts: readonly { readonly issued: number; readonly failed: number }[],
  what: "issued" | "failed",
): number => counts.reduce((total, count) => total + count[what], 0);
