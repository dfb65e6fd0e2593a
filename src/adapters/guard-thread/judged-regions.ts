import type { JudgedRegion } from "../../guard/judge.ts";
import type { WatchConfig } from "../../ports/watcher.ts";

/** What comes over an API server may be held up for a moment. */
const REMOTE_SILENT_MS = 2_000;

/** Regions as the judge needs to know them: who looks at them, and how soon no outcome is silence. */
export const judgedRegions = ({ regions, counters, sources = [] }: WatchConfig): readonly JudgedRegion[] =>
  regions.map(({ region, probe, accounts, cohorts = [], isRemote = false }) => {
    const isProbed = probe !== undefined && (isRemote || accounts.length + cohorts.length > 0);
    const own = sources.filter((source) => source.regions.includes(region));
    const silentAfterMs = Math.max(
      ...own.map((source) => (source.kind === "prometheus" ? source.staleAfterMs : source.silentAfterMs)),
    );
    return {
      region,
      isProbed,
      isCounted: counters !== undefined || own.length > 0,
      // Where nobody probes, a live source may be as slow as it says; where somebody does, the probes tell every second.
      ...(isProbed || own.length === 0 ? {} : { silentAfterMs }),
      ...(isProbed && isRemote ? { silentAfterMs: REMOTE_SILENT_MS } : {}),
      ...(own.some(({ countsProbes }) => !countsProbes) ? { countsProbes: false } : {}),
    };
  });
