import type { ProbeOutcome } from "./probe-chain.ts";

/**
 * Instances that say goodbye: told to drain, they ask for the connection to be closed, and later refuse. The run ends them before it tells
 * that they are out of traffic, so this must be noticed here, or the farewell of an old instance would look like trouble of the old release.
 */
export type Leaving = {
  /** Takes what an instance answered. True: the outcome is part of a goodbye and no sample. */
  note(instance: { readonly id: string; readonly side: "new" | "old" }, outcome: ProbeOutcome): boolean;
  /** Whether to leave the instance alone for now. */
  isAvoided(id: string): boolean;
  /** Those that announced it, as opposed to those that are just gone. */
  announced(): ReadonlySet<string>;
  keepOnly(ids: ReadonlySet<string>): void;
};

/** After this time an instance is asked again: its drain may have been called off. */
const AVOID_MS = 3_000;

export const noticeLeaving = (now: () => number = () => performance.now()): Leaving => {
  const avoided = new Map<string, number>();
  const kept = new Set<string>();
  const said = new Set<string>();
  return {
    note({ id, side }, outcome) {
      // A server that never keeps connections says nothing by closing one.
      if (outcome.isClosing === true && kept.has(id)) said.add(id);
      else if (outcome.isClosing === false) {
        kept.add(id);
        said.delete(id);
      }
      // What an old instance refuses before it accepted it, users get elsewhere; if they don't, it shows at the public address and in the counters.
      const isRefused = outcome.kind === "failed" && (side === "old" || said.has(id)) && REFUSALS.has(outcome.code);
      if (said.has(id) || isRefused) avoided.set(id, now() + AVOID_MS);
      return isRefused;
    },
    isAvoided: (id) => (avoided.get(id) ?? 0) > now(),
    announced: () => said,
    keepOnly(ids) {
      for (const id of said) if (!ids.has(id)) said.delete(id);
      for (const id of kept) if (!ids.has(id)) kept.delete(id);
      for (const id of avoided.keys()) if (!ids.has(id)) avoided.delete(id);
    },
  };
};

const REFUSALS: ReadonlySet<string> = new Set(["50001", "refused", "cut"]);
