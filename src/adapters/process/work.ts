import type { Shape } from "../../graph/observation.ts";
import type { Seen } from "./site.ts";

type Wanted = Shape["releases"][number];

/** What must be done until a region has its shape. */
export type Work = {
  readonly release: string;
  readonly digest: string;
  /** They stay, and must be running and ready. */
  readonly keep: readonly Seen[];
  /** New ones are needed at these places. */
  readonly ordinals: readonly number[];
  /** They are too many. */
  readonly retire: readonly Seen[];
};

/**
 * Who stays and who goes, for one digest. Those who serve stay before those who don't, low places before high ones: a dead or
 * draining instance is never kept at the price of one that serves.
 */
export function workFor({ release, digest, count }: Wanted, seen: readonly Seen[]): Work {
  const there = seen
    .filter(({ record }) => record.digest === digest)
    .toSorted((a, b) => Number(serves(b)) - Number(serves(a)) || a.record.ordinal - b.record.ordinal);
  const keep = there.slice(0, count);
  return {
    release,
    digest,
    keep,
    ordinals: freeOrdinals(
      keep.map(({ record }) => record.ordinal),
      count - keep.length,
    ),
    retire: there.slice(count),
  };
}

/** Runs, answers, and has not been told to leave. */
export const serves = ({ record, isReady }: Seen): boolean =>
  isReady && (record.stage === "running" || record.stage === "starting");

function freeOrdinals(taken: readonly number[], count: number): readonly number[] {
  const free: number[] = [];
  for (let ordinal = 1; free.length < count; ordinal += 1) if (!taken.includes(ordinal)) free.push(ordinal);
  return free;
}

/** What one digest is allowed to take, by rank among those that have not been told to leave. Undefined: nobody says. */
export function weightFor(
  weighing: readonly { readonly digest: string; readonly admitted: number; readonly weightPct: number }[],
  digest: string,
  rank: number,
): number | undefined {
  const rules = weighing.filter((rule) => rule.digest === digest);
  return rules.length === 0 ? undefined : (rules.find((rule) => rank <= rule.admitted)?.weightPct ?? 0);
}
