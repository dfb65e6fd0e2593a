import { tally, type Count, type CountBin, type Source, type Tally } from "./count.ts";
import { evidenceIn, inject } from "./detector/mixture.ts";
import { massSince, type Promised } from "./detector/promise.ts";
import { foldSigns, freshSigns, secondsPerSign, type SignStream } from "./detector/signs.ts";

/** New against old: evidence that the new side is worse. One stream a source, because both count the same operations. */
export type Comparison = {
  readonly streams: Readonly<Record<Source, SignStream>>;
  /** The last change of instances, and how much of its mass was injected. */
  readonly step: { readonly at: number; readonly mass: number };
  readonly taken: number;
};

export const freshComparison: Comparison = {
  streams: { probes: freshSigns, live: freshSigns },
  step: { at: 0, mass: 0 },
  taken: 0,
};

/** Concentrates suspicion on a change made at `at`. */
export const stepComparison = (comparison: Comparison, at: number, mass: number): Comparison => ({
  ...comparison,
  step: { at, mass },
  taken: 0,
});

/** The new side alone has raised an alarm: the moment from which being worse than the old side counts, with 1 in `DOUBT` that it is luck. */
export const suspectComparison = (comparison: Comparison, at: number, { alarm }: Promised): Comparison => {
  const current = withMass(comparison, at);
  const missing = alarm / DOUBT - current.taken;
  return missing > 0 ? injected(current, missing) : current;
};
const DOUBT = 500;

export const foldComparison = (comparison: Comparison, bin: CountBin, p0: number): Comparison => {
  const current = withMass(comparison, bin.at);
  const streams = { ...current.streams };
  for (const source of SOURCES) {
    const [fresh, old] = matched(bin.counts.filter((count) => count.source === source));
    if (!(fresh.issued + old.issued > 0)) continue;
    const mass = secondsPerSign({ fresh: fresh.issued, old: old.issued, ms: Math.min(bin.ms, MOST_MS) }, p0);
    streams[source] = foldSigns(streams[source], { fresh, old, from: bin.at - bin.ms, to: bin.at, mass });
  }
  return { ...current, streams };
};

/** Evidence that new is worse than old: compare with the alarm level. */
export const comparisonEvidence = ({ streams }: Comparison): number =>
  (evidenceIn(streams.probes.mixture) + evidenceIn(streams.live.mixture)) / 2;

const SOURCES: readonly Source[] = ["probes", "live"];
const MOST_MS = 2_000;

const withMass = (comparison: Comparison, at: number): Comparison => {
  const due = massSince(comparison.step.mass, at - comparison.step.at) - comparison.taken;
  return due > 0 ? injected(comparison, due) : comparison;
};

const injected = (comparison: Comparison, mass: number): Comparison => {
  const more = (stream: SignStream): SignStream => ({ ...stream, mixture: inject(stream.mixture, mass) });
  const { probes, live } = comparison.streams;
  return { ...comparison, taken: comparison.taken + mass, streams: { probes: more(probes), live: more(live) } };
};

/** Both sides in the regions where both are; anywhere, if they are in different ones. */
const matched = (counts: readonly Count[]): readonly [Tally, Tally] => {
  const [fresh, old] = [counts.filter(({ side }) => side === "new"), counts.filter(({ side }) => side === "old")];
  const regions = new Set(fresh.map(({ region }) => region));
  const near = old.filter(({ region }) => regions.has(region));
  if (near.length === 0) return [tally(fresh), tally(old)];
  const shared = new Set(near.map(({ region }) => region));
  return [tally(fresh.filter(({ region }) => shared.has(region))), tally(near)];
};
