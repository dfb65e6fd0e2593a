import { listed } from "./explain.ts";
import { resetFamily } from "./family.ts";
import type { JudgeState } from "./judge-state.ts";
import { disturb } from "./latch.ts";
import { goneRegions, isLost } from "./loss.ts";

/** Regions whose servers died: everything there fails, and no release is to blame. */
export const noteLosses = (state: JudgeState): JudgeState => {
  const hasProbes = (region: string): boolean => state.settings.probed.includes(region);
  const gone = goneRegions(state.contact, state.instances);
  const lost = gone.filter((region) => isLost(state.contact, region, hasProbes(region.region)));
  const fresh = lost.filter(({ region }) => !state.lost.some((known) => known.region === region));
  const known = { ...state, lost: lost.map(({ region, since }) => ({ region, since })) };
  if (fresh.length === 0) return known;
  const families = {
    new: resetFamily(state.families.new),
    old: resetFamily(state.families.old),
    all: resetFamily(state.families.all),
  };
  const lossAt = Math.max(...fresh.map(({ since }) => since));
  const { pending: _, ...rest } = known;
  const noted: JudgeState = { ...rest, families, lossAt };
  // The new release was suspected before, for reasons of its own, elsewhere: that stays.
  const stays =
    state.latch?.kind === "failing" || (state.latch?.kind === "suspect" && state.latch.since < lossAt - 1_000);
  const counts = fresh.reduce((sum, { count }) => sum + count, 0);
  return stays
    ? noted
    : disturb(
        noted,
        lost.map(({ region }) => region).toSorted(),
        `${listed(lost.map(({ region }) => region))}: ${allOf(counts)} out of reach, and every probe fails: the servers are gone, not the release`,
      );
};

const allOf = (count: number): string => (count === 1 ? "the only instance is" : `all ${count} instances are`);
