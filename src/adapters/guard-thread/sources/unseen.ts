import type { WatchedInstance } from "../../../ports/watcher.ts";
import { brief } from "./brief.ts";
import type { Placed } from "./placing.ts";
import type { Labels } from "./prometheus-answer.ts";
import type { Blindness } from "./sight-told.ts";

/** What a server has told that answers well. Times by its own clock, ms. */
export type Told = {
  readonly name: string;
  readonly query: string;
  readonly regions: readonly string[];
  readonly staleAfterMs: number;
  readonly clock: number;
  /** Where each series is, and when it was last scraped. */
  readonly series: readonly { readonly placed: Placed; readonly at: number }[];
  /** Who serves users and is not scraped any more. */
  readonly missed: readonly WatchedInstance[];
  /** Operations that nobody can place were counted under these labels. */
  readonly unplaced: Labels | undefined;
};

/** What keeps the guard from seeing users in some region, although the server answers. The sentence holds nothing that grows. */
export const unseenIn = ({ name, query, regions, staleAfterMs, ...told }: Told): Blindness | undefined => {
  if (told.unplaced !== undefined)
    return { regions, why: `${name} counts operations that are of no region, such as ${textOf(told.unplaced)}` };
  const newest = newestByRegion(told.series);
  const missing = regions.filter((region) => !newest.has(region));
  if (missing.length > 0)
    return { regions: missing, why: `${name} has no sample of ${missing.join(", ")} for ${query}` };
  const young = `that is younger than ${staleAfterMs / 1000} s`;
  const stale = regions.filter((region) => told.clock - (newest.get(region) ?? -Infinity) > staleAfterMs);
  if (stale.length > 0) return { regions: stale, why: `${name} has no sample of ${stale.join(", ")} ${young}` };
  if (told.missed.length === 0) return undefined;
  const [ids, places] = [told.missed.map(({ id }) => id), told.missed.map(({ region }) => region)];
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : "";
  return {
    regions: [...new Set(places)],
    why: `${name} has no sample of ${ids.slice(0, MOST_NAMED).join(", ")}${more} ${young}`,
  };
};

const MOST_NAMED = 3;

const newestByRegion = (series: Told["series"]): ReadonlyMap<string, number> => {
  const newest = new Map<string, number>();
  for (const { placed, at } of series) {
    if (placed.kind !== "here") continue;
    const { region } = placed.place;
    newest.set(region, Math.max(newest.get(region) ?? -Infinity, at));
  }
  return newest;
};

const textOf = (labels: Labels): string => {
  const told = Object.entries(labels)
    .slice(0, 4)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return brief(`{${told.join(", ")}}`);
};
