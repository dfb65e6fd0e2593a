import { SHARES, shareAmong, type ShareName } from "./comparison.ts";
import type { Count, CountBin } from "./count.ts";
import { upperBaseline } from "./detector/baseline.ts";
import { foldIntoBins, freshBinStream, type BinStream } from "./detector/bin-stream.ts";
import { evidenceIn, inject } from "./detector/mixture.ts";
import { REST_MS } from "./family.ts";
import { measure, measuredBy, NOTHING_MEASURED, type Measuring } from "./measuring.ts";

/**
 * What is usual: how often operations are slow, refused or lost in health. After a change that leaves nothing old to compare with,
 * such as one of metadata, these shares are held against what was usual before it.
 */
export type Usual = {
  readonly measured: Readonly<Record<ShareName, Measuring>>;
  /** Since such a change: what a share must not exceed, 0–1, and the evidence that it does. */
  readonly since: Readonly<Record<ShareName, Held>> | undefined;
};

type Held = { readonly limit: number; readonly bins: BinStream };

const forEach = <Data>(make: (name: ShareName) => Data): Readonly<Record<ShareName, Data>> => ({
  slow: make("slow"),
  refused: make("refused"),
  lost: make("lost"),
});

export const freshUsual: Usual = { measured: forEach(() => NOTHING_MEASURED), since: undefined };

/** From now on it is held against what was usual. `mass`: seconds of suspicion that come with the change. */
export const holdAgainstUsual = ({ measured }: Usual, mass: number): Usual => ({
  measured,
  since: forEach((name) => ({
    limit: limitOf(measured[name]),
    bins: { ...freshBinStream, mixture: inject(freshBinStream.mixture, mass) },
  })),
});

/** Nothing is held against it any more, and what is usual is measured on. */
export const measureUsual = ({ measured }: Usual): Usual => ({ measured, since: undefined });

/** `isHealthy`: what is counted may be called usual. */
export const foldUsual = (usual: Usual, bin: CountBin, isHealthy: boolean): Usual => {
  if (!bin.counts.some((count) => SHARES.some((name) => count[name] !== undefined))) return usual;
  const { since } = usual;
  if (since === undefined) {
    // What a new release does is not usual yet.
    const known = bin.counts.filter(({ side }) => side !== "new");
    return isHealthy
      ? { ...usual, measured: forEach((name) => measure(usual.measured[name], shareOfBin(name, known), bin.at)) }
      : usual;
  }
  const shares = forEach((name) => shareOfBin(name, bin.counts));
  const seconds = Math.min(bin.ms, MOST_MS) / 1000;
  const fold = (name: ShareName): Held => {
    const { limit, bins } = since[name];
    if (!leavesRoom(limit)) return since[name];
    const timed = { ...shares[name], seconds, from: bin.at - bin.ms, to: bin.at, restMs: REST_MS };
    return { limit, bins: foldIntoBins(bins, timed, limit) };
  };
  return { ...usual, since: forEach(fold) };
};

/** Evidence that a share is more than usual: compare with the alarm level. The shares divide one promise among them. */
export const unusualEvidence = ({ since }: Usual, name: ShareName): number =>
  since === undefined ? 0 : evidenceIn(since[name].bins.mixture) / SHARES.length;

/** The most that is usual, and more than which is held against the change; both 0–1. */
export const limitsOf = ({ since }: Usual, name: ShareName): { readonly usual: number; readonly limit: number } => {
  const limit = since?.[name].limit ?? 1;
  return { usual: limit / TIMES, limit };
};

/** Whether a share is beyond what was usual so far. Nothing is usual before anything was measured. */
export const isBeyondUsual = ({ measured }: Usual, name: ShareName, share: number): boolean => {
  const limit = limitOf(measured[name]);
  return !leavesRoom(limit) || share > limit;
};

/** Whether there can be more of it: a limit that leaves no room for that tells nothing. */
const leavesRoom = (limit: number): boolean => limit < MOST_LIMIT;

const MOST_MS = 2_000;
const MOST_LIMIT = 0.5;
/** Users change their ways over a day: only more than so many times what is usual is held against a change. */
const TIMES = 2;

const limitOf = (measuring: Measuring): number => Math.min(1, TIMES * upperBaseline(measuredBy(measuring)));

const shareOfBin = (name: ShareName, counts: readonly Count[]) =>
  shareAmong(
    name,
    counts.filter((count) => count[name] !== undefined),
  );
