import { tally, type Count, type CountBin, type Source } from "./count.ts";
import { evidenceIn, inject } from "./detector/mixture.ts";
import { massSince, type Promised } from "./detector/promise.ts";
import { foldMore, foldSigns, freshSigns, secondsPerSign, type Side, type SignStream } from "./detector/signs.ts";
import { REST_MS } from "./family.ts";

/** Shares of outcomes that health has too, so that only new against old tells: slow, refused, and refused because an order is not known any more. */
export type ShareName = "slow" | "refused" | "lost";
export const SHARES: readonly ShareName[] = ["slow", "refused", "lost"];

/** New against old: evidence that the new side is worse. Failures have one stream a source, because both count the same operations. */
export type Comparison = {
  readonly streams: Readonly<Record<Source | ShareName, SignStream>>;
  /** The last change of instances, and how much of its mass was injected. */
  readonly step: { readonly at: number; readonly mass: number };
  readonly taken: number;
  /** Operations seen on the smaller side, by source: who sees more gets the larger part of the promise. */
  readonly paired: Readonly<Record<Source, number>>;
};

export const freshComparison: Comparison = {
  streams: { probes: freshSigns, live: freshSigns, slow: freshSigns, refused: freshSigns, lost: freshSigns },
  step: { at: 0, mass: 0 },
  taken: 0,
  paired: { probes: 0, live: 0 },
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
  return missing > 0 ? injected(current, missing, SOURCES) : current;
};
const DOUBT = 500;

export const foldComparison = (comparison: Comparison, bin: CountBin, p0: number): Comparison => {
  const current = withMass(comparison, bin.at);
  if (!bin.counts.some(({ side }) => side === "new")) return current;
  const streams = { ...current.streams };
  const paired = { ...current.paired };
  const [from, to, ms] = [bin.at - bin.ms, bin.at, Math.min(bin.ms, MOST_MS)];
  for (const source of SOURCES) {
    const [newer, older] = matched(bin.counts.filter((count) => count.source === source));
    const [fresh, old] = [tally(newer), tally(older)];
    if (!(fresh.issued + old.issued > 0)) continue;
    const mass = secondsPerSign({ fresh: fresh.issued, old: old.issued, ms }, p0) * partOf(current, source);
    streams[source] = foldSigns(streams[source], { fresh, old, from, to, mass, restMs: REST_MS });
    paired[source] += Math.min(fresh.issued, old.issued);
  }
  // A sign in each bin is the most that there can be, so each stands for the bin's own seconds.
  for (const name of SHARES) {
    const [fresh, old] = sharesOf(name, bin.counts);
    if (fresh.issued + old.issued > 0)
      streams[name] = foldMore(streams[name], { fresh, old, from, to, mass: ms / 1000, restMs: REST_MS });
  }
  return { ...current, streams, paired };
};

/** Evidence that new is worse than old: compare with the alarm level. Each source got its part of the mass, so it is a sum. */
export const comparisonEvidence = ({ streams }: Comparison): number =>
  evidenceIn(streams.probes.mixture) + evidenceIn(streams.live.mixture);

/** The same for a share. The shares divide one promise among them. */
export const shareEvidence = ({ streams }: Comparison, name: ShareName): number =>
  evidenceIn(streams[name].mixture) / SHARES.length;

const SOURCES: readonly Source[] = ["probes", "live"];
const MOST_MS = 2_000;

/** The part of the promise that a source has: fixed before what it will say is known. */
const partOf = ({ paired }: Comparison, source: Source): number => {
  if (paired.probes === paired.live) return 0.5;
  return paired[source] === Math.max(paired.probes, paired.live) ? LARGER_PART : 1 - LARGER_PART;
};
const LARGER_PART = 0.75;

const withMass = (comparison: Comparison, at: number): Comparison => {
  const due = massSince(comparison.step.mass, at - comparison.step.at) - comparison.taken;
  return due > 0 ? injected(comparison, due, [...SOURCES, ...SHARES]) : comparison;
};

const injected = (comparison: Comparison, mass: number, names: readonly (Source | ShareName)[]): Comparison => {
  const streams = { ...comparison.streams };
  for (const name of names) {
    const part = name === "probes" || name === "live" ? partOf(comparison, name) : 1;
    streams[name] = { ...streams[name], mixture: inject(streams[name].mixture, mass * part) };
  }
  return { ...comparison, taken: comparison.taken + mass, streams };
};

/** How many of each side were slow, refused or lost, among those that could have been: new, then old. */
export const sharesOf = (name: ShareName, counts: readonly Count[]): readonly [Side, Side] => {
  const [fresh, old] = matched(counts.filter((count) => count[name] !== undefined));
  return [shareAmong(name, fresh), shareAmong(name, old)];
};

/** How many of these were slow, refused or lost, among those that could have been. */
export const shareAmong = (name: ShareName, counts: readonly Count[]): Side => ({
  issued: counts.reduce((sum, count) => sum + (name === "slow" ? count.issued - count.failed : (count.asked ?? 0)), 0),
  failed: counts.reduce((sum, count) => sum + (count[name] ?? 0), 0),
});

/** Both sides in the regions where both are; anywhere, if they are in different ones. */
const matched = (counts: readonly Count[]): readonly [readonly Count[], readonly Count[]] => {
  const [fresh, old] = [counts.filter(({ side }) => side === "new"), counts.filter(({ side }) => side === "old")];
  const regions = new Set(fresh.map(({ region }) => region));
  const near = old.filter(({ region }) => regions.has(region));
  if (near.length === 0) return [fresh, old];
  const shared = new Set(near.map(({ region }) => region));
  return [fresh.filter(({ region }) => shared.has(region)), near];
};
