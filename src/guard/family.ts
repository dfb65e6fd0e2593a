import type { Count, CountBin, Source } from "./count.ts";
import { foldIntoBins, freshBinStream, isResting, type BinStream } from "./detector/bin-stream.ts";
import { mixLevels, type Level } from "./detector/levels.ts";
import { evidenceIn } from "./detector/mixture.ts";
import { massSince } from "./detector/promise.ts";

/**
 * All streams of one side, judged together. The evidence is an average over streams, so it keeps the promise under any dependence
 * between them. Levels: everything pooled; operation × region; cohort; cohort × region. Each source has its own streams.
 */
export type Family = {
  readonly streams: ReadonlyMap<string, Stream>;
  readonly step: Step;
  /** That the side fails more than its baseline: compare with the alarm level. By source, so that one can see who saw it. */
  readonly evidence: Readonly<Record<Source | "both", number>>;
};

type Stream = {
  readonly bins: BinStream;
  /** Mass of the current step that it has got, and which step that was. */
  readonly step: number;
  readonly taken: number;
};

/** A change that suspicion concentrates on. `mass`: seconds of it in total; 0 when the budget is spent. */
type Step = { readonly number: number; readonly at: number; readonly mass: number };

/** How long a burst of failures may last beyond the edge of a bin and still count once. */
export const REST_MS = 100;

/** A burst fills more of a short bin, and seldom ends in it: the rest after it is longer. */
export const restMsAfter = (ms: number): number => (ms < REST_MS / 2 ? 2.25 * REST_MS : REST_MS);

const NOTHING = { probes: 0, live: 0, both: 0 };

export const freshFamily: Family = { streams: new Map(), step: { number: 0, at: 0, mass: 0 }, evidence: NOTHING };

/** Concentrates suspicion on a change made at `at`. What was gathered before stays. */
export const stepFamily = (family: Family, at: number, mass: number): Family => ({
  ...family,
  step: { number: family.step.number + 1, at, mass },
});

/** Starts anew after an alarm. The mass of the step has been spent, and the burst that raised it goes on resting. */
export const resetFamily = ({ streams, step }: Family): Family => ({
  streams: new Map(
    [...streams].map(([key, { bins }]) => [key, { ...FRESH, bins: { ...freshBinStream, restUntil: bins.restUntil } }]),
  ),
  step: { ...step, number: step.number + 1, mass: 0 },
  evidence: NOTHING,
});

/** Operations by stream. */
export type Sums = ReadonlyMap<string, Sum>;
type Sum = { readonly issued: number; readonly failed: number };

export const sumsOf = (counts: readonly Count[]): Sums => {
  const sums = new Map<string, Mutable<Sum>>();
  for (const count of counts) if (count.issued > 0) for (const key of keysOf(count)) add(sums, key, count);
  return sums;
};

/** Sums of several sides together. */
export const mergedSums = (sides: readonly Sums[]): Sums => {
  const merged = new Map<string, Mutable<Sum>>();
  for (const side of sides) for (const [key, sum] of side) add(merged, key, sum);
  return merged;
};

const add = (sums: Map<string, Mutable<Sum>>, key: string, { issued, failed }: Sum): void => {
  const sum = sums.get(key);
  if (sum === undefined) sums.set(key, { issued, failed });
  else {
    sum.issued += issued;
    sum.failed += failed;
  }
};

/** Folds what one side did in a bin into its streams. */
export const foldFamily = (family: Family, bin: CountBin, sums: Sums, p0: number): Family => {
  if (sums.size === 0) return family;
  const streams = new Map(family.streams);
  for (const [key, sum] of sums)
    streams.set(key, foldStream(streams.get(key) ?? FRESH, { bin, sum, step: family.step }, p0));
  return { ...family, streams, evidence: evidenceOf(streams) };
};

const evidenceOf = (streams: Family["streams"]): Family["evidence"] => {
  const levels = { probes: new Map<string, Mutable<Level>>(), live: new Map<string, Mutable<Level>>() };
  for (const [key, stream] of streams) {
    const of = levels[sourceOf(key)];
    const evidence = evidenceIn(stream.bins.mixture);
    const level = of.get(levelOf(key));
    if (level === undefined) of.set(levelOf(key), { weight: 1, streams: 1, total: evidence });
    else {
      level.streams++;
      level.total += evidence;
    }
  }
  const sources = (levels.probes.size > 0 ? 1 : 0) + (levels.live.size > 0 ? 1 : 0);
  const share = sources === 0 ? 0 : 1 / sources;
  const by = { probes: mixLevels(levels.probes.values()) * share, live: mixLevels(levels.live.values()) * share };
  return { ...by, both: by.probes + by.live };
};

type Mutable<Data> = { -readonly [Key in keyof Data]: Data[Key] };

const FRESH: Stream = { bins: freshBinStream, step: 0, taken: 0 };

const foldStream = (
  stream: Stream,
  { bin, sum, step }: { readonly bin: CountBin; readonly sum: Sum; readonly step: Step },
  p0: number,
): Stream => {
  const timed = { ...sum, from: bin.at - bin.ms, to: bin.at, restMs: restMsAfter(bin.ms) };
  // A bin that rests takes no mass of the step along: the next one gets it.
  if (isResting(stream.bins, timed))
    return { ...stream, bins: foldIntoBins(stream.bins, { ...timed, seconds: 0 }, p0) };
  const taken = stream.step === step.number ? stream.taken : 0;
  const due = massSince(step.mass, bin.at - step.at);
  const seconds = Math.min(bin.ms, MOST_MS) / 1000 + Math.max(0, due - taken);
  return { step: step.number, taken: due, bins: foldIntoBins(stream.bins, { ...timed, seconds }, p0) };
};

/** A bin is worth no more seconds than this, however late it comes. */
const MOST_MS = 2_000;

// "p1…" is a stream of probes on level 1; the first two characters name source and level.
const keysOf = ({ source, operation, region, cohort }: Count): readonly string[] => {
  const from = source === "probes" ? "p" : "l";
  return [`${from}0`, `${from}1${operation} ${region}`, `${from}2${cohort}`, `${from}3${cohort} ${region}`];
};
const levelOf = (key: string): string => key.slice(0, 2);
const sourceOf = (key: string): Source => (key.startsWith("p") ? "probes" : "live");
