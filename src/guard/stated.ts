import { tally, type CountBin, type Source } from "./count.ts";
import { lowerBaseline, upperBaseline } from "./detector/baseline.ts";
import { pct } from "./percent.ts";
import { measure, measuredBy, NOTHING_MEASURED, type Measuring } from "./measuring.ts";
import { nameOf } from "./strata.ts";

/** How often operations fail before the first change, by stratum: what the plan states about health is held against it. */
export type Baseline = Readonly<Record<string, Measuring>>;

/** `counted`: regions in which users are seen themselves; elsewhere probes stand for them. */
export const foldBaseline = (baseline: Baseline, bin: CountBin, counted: readonly string[]): Baseline => {
  const sourceIn = (region: string): Source => (counted.includes(region) ? "live" : "probes");
  // New instances that an earlier conductor left behind say nothing about what was there before them.
  const seen = bin.counts.filter(({ source, region, side }) => source === sourceIn(region) && side !== "new");
  if (seen.length === 0) return baseline;
  const next = { ...baseline };
  for (const [name, counts] of Map.groupBy(seen, nameOf))
    next[name] = measure(next[name] ?? NOTHING_MEASURED, tally(counts), bin.at);
  return next;
};

/** Says where more operations fail for certain than `statedPct`, with counts; undefined: nowhere. */
export const contradictionOf = (baseline: Baseline, statedPct: number): string | undefined => {
  const places = Object.entries(baseline).map(([name, measuring]) => ({ name, ...measuredBy(measuring) }));
  const [worst] = places
    .map((place) => ({ ...place, least: lowerBaseline(place) }))
    .toSorted((a, b) => b.least - a.least);
  if (worst === undefined || !(worst.least > statedPct / 100)) return undefined;
  const { name, issued, failed } = worst;
  return `${name}: ${failed} of ${issued} failed, ${pct(failed / issued)} where at most ${statedPct} % is stated`;
};

/** What to state instead of `statedPct`, when less than half of it fails for certain in every stratum; undefined: nothing better is known. */
export const betterBaselineOf = (baseline: Baseline, statedPct: number): string | undefined => {
  const measured = Object.values(baseline).map(measuredBy);
  const bound = Math.max(...measured.map(upperBaseline));
  if (measured.length === 0 || bound * 2 > statedPct / 100) return undefined;
  const most = atLeast(bound);
  const [failed, issued] = [sum(measured.map((one) => one.failed)), sum(measured.map((one) => one.issued))];
  return `${failed} of ${issued} failed, at most ${most} of any operation with 99.9 % confidence, where ${statedPct} % is stated: a plan with baseline: { atMost: ${most.replace(" ", "")} } sees harm sooner`;
};

const sum = (values: readonly number[]): number => values.reduce((soFar, value) => soFar + value, 0);
/** Rounded up to two digits: a bound must stay one. */
const atLeast = (share: number): string => {
  const unit = 10 ** (Math.floor(Math.log10(share * 100)) - 1);
  return pct((Math.ceil((share * 100) / unit - 1e-9) * unit) / 100);
};
