import type { LiveSink, SourceClock } from "../../src/adapters/guard-thread/sources/live-source.ts";
import type { Count, CountBin } from "../../src/guard/count.ts";
import type { Sight } from "../../src/guard/sight.ts";
import { eventually } from "../fakes/watched-venue.ts";

/** Keeps all that a live source tells. */
export const liveSink = () => {
  const bins: CountBin[] = [];
  const sights: Sight[] = [];
  const unlisted: (Parameters<LiveSink["onUnlisted"]>[0] & { readonly times: number })[] = [];
  const how: LiveSink & SourceClock = {
    now: () => performance.timeOrigin + performance.now(),
    lagSince: () => 0,
    onBin: (bin) => void bins.push(bin),
    onReach: () => undefined,
    onSight: (sight) => void sights.push(sight),
    onUnlisted: (seen, times) => void unlisted.push({ ...seen, times }),
  };
  const sum = (matches: (count: Count) => boolean, of: "issued" | "failed"): number =>
    bins
      .flatMap(({ counts }) => counts)
      .filter((count) => matches(count))
      .reduce((total, count) => total + count[of], 0);
  return {
    how,
    bins,
    sights,
    unlisted,
    sum,
    seeing: (ms = 20_000): Promise<Sight> =>
      eventually(
        () => (sights.at(-1)?.why === undefined ? sights.at(-1) : undefined),
        ms,
        () => `to see; told: ${JSON.stringify(sights)}`,
      ),
    blind: (why: RegExp, ms = 20_000): Promise<Sight> =>
      eventually(
        () => sights.findLast((sight) => why.test(sight.why ?? "")),
        ms,
        () => `blind for ${String(why)}; told: ${JSON.stringify(sights)}`,
      ),
  };
};
