import type { Count, CountBin, Source } from "./count.ts";
import { evidenceIn, foldBin, foldRestBin, freshMixture, stepMass, type Mixture } from "./evidence.ts";

/**
 * All streams of one side, judged together. The evidence is an average over streams, so it keeps the promise under any dependence
 * between them. Levels: everything pooled; operation × region; cohort; cohort × region. Each source has its own streams.
 */
export type Family = {
  readonly streams: ReadonlyMap<string, Stream>;
  /** How many streams there are, by source and level. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly step: Step;
};

type Stream = {
  readonly mixture: Mixture;
  /** A bin that begins before this rests. */
  readonly restUntil: number;
  /** Mass of the current step that it has got, and which step that was. */
  readonly step: number;
  readonly taken: number;
};

/** A change that suspicion concentrates on. `mass`: seconds of it in total; 0 when the budget is spent. */
type Step = { readonly number: number; readonly at: number; readonly mass: number };

export type FamilyRules = {
  readonly p0: number;
  /** Failures that a burst may carry over from one bin into the next. */
  readonly burst: number;
};

export const freshFamily: Family = { streams: new Map(), sizes: {}, step: { number: 0, at: 0, mass: 0 } };

/** Concentrates suspicion on a change made at `at`. What was gathered before stays. */
export const stepFamily = (family: Family, at: number, mass: number): Family => ({
  ...family,
  step: { number: family.step.number + 1, at, mass },
});

/** Starts anew after an alarm. The mass of the step has been spent. */
export const resetFamily = ({ step }: Family): Family => ({
  ...freshFamily,
  step: { ...step, number: step.number + 1, mass: 0 },
});

/** Folds the counts of one side into its streams. */
export const foldFamily = (family: Family, bin: CountBin, counts: readonly Count[], how: FamilyRules): Family => {
  const sums = sumByStream(counts);
  if (sums.size === 0) return family;
  const streams = new Map(family.streams);
  let sizes = family.sizes;
  for (const [key, sum] of sums) {
    const known = streams.get(key);
    if (known === undefined) sizes = { ...sizes, [levelOf(key)]: (sizes[levelOf(key)] ?? 0) + 1 };
    streams.set(key, foldStream(known ?? FRESH, { bin, sum, step: family.step }, how));
  }
  return { ...family, streams, sizes };
};

/** Evidence that the side fails more than its baseline: compare with the alarm level. By source, so that one can see who saw it. */
export const familyEvidence = (family: Family): Readonly<Record<Source | "both", number>> => {
  const by = { probes: 0, live: 0 };
  const sources = new Set(Object.keys(family.sizes).map(sourceOf)).size;
  for (const [key, stream] of family.streams)
    by[sourceOf(key)] += evidenceIn(stream.mixture) / (LEVELS * sources * (family.sizes[levelOf(key)] ?? 1));
  return { ...by, both: by.probes + by.live };
};

const FRESH: Stream = { mixture: freshMixture, restUntil: 0, step: 0, taken: 0 };
const LEVELS = 4;

type Sum = { issued: number; failed: number };

const foldStream = (
  stream: Stream,
  { bin, sum, step }: { readonly bin: CountBin; readonly sum: Sum; readonly step: Step },
  { p0, burst }: FamilyRules,
): Stream => {
  if (bin.at - bin.ms < stream.restUntil)
    return { ...stream, restUntil: 0, mixture: restOf(stream.mixture, sum, { p0, burst }) };
  const taken = stream.step === step.number ? stream.taken : 0;
  const due = stepMass(step.mass, bin.at - step.at);
  const mass = Math.min(bin.ms, MOST_MS) / 1000 + Math.max(0, due - taken);
  // Half a bin of slack: real bins do not end to the microsecond.
  const restUntil = sum.failed > 0 ? bin.at + bin.ms / 2 : 0;
  return {
    restUntil,
    step: step.number,
    taken: due,
    mixture: foldBin(stream.mixture, { share: sum.failed / sum.issued, mass, p0 }),
  };
};

// A bin so small that a burst could fill it tells nothing new: it rests wholly.
const restOf = (mixture: Mixture, sum: Sum, { p0, burst }: FamilyRules): Mixture =>
  sum.issued <= burst ? mixture : foldRestBin(mixture, { excess: Math.max(0, sum.failed - burst) / sum.issued, p0 });

/** A bin is worth no more seconds than this, however late it comes. */
const MOST_MS = 2_000;

const sumByStream = (counts: readonly Count[]): ReadonlyMap<string, Sum> => {
  const sums = new Map<string, Sum>();
  for (const count of counts) {
    if (count.issued === 0) continue;
    for (const key of keysOf(count)) {
      const sum = sums.get(key);
      if (sum === undefined) sums.set(key, { issued: count.issued, failed: count.failed });
      else {
        sum.issued += count.issued;
        sum.failed += count.failed;
      }
    }
  }
  return sums;
};

// "p1…" is a stream of probes on level 1; the first two characters name source and level.
const keysOf = ({ source, operation, region, cohort }: Count): readonly string[] => {
  const from = source === "probes" ? "p" : "l";
  return [`${from}0`, `${from}1${operation} ${region}`, `${from}2${cohort}`, `${from}3${cohort} ${region}`];
};
const levelOf = (key: string): string => key.slice(0, 2);
const sourceOf = (key: string): Source => (key.startsWith("p") ? "probes" : "live");
