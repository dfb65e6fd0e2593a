import type { WatchedSource } from "../../../ports/watcher.ts";
import type { LiveSink, SourceClock } from "./live-source.ts";

/** What keeps a source from seeing, and where. */
export type Blindness = { readonly regions: readonly string[]; readonly why: string };

export type SightTold = {
  /** Undefined: it sees everywhere. Told on when it is news. */
  tell(blindness: Blindness | undefined): void;
};

/** Begins blind, for the reason that is given: nobody has seen anything yet. */
export const startSight = (
  { id, regions, now, onSight }: Pick<WatchedSource, "id" | "regions"> & SourceClock & Pick<LiveSink, "onSight">,
  reason: string,
): SightTold => {
  let told: string | undefined;
  const say = (blindness: Blindness | undefined): void => {
    told = blindness?.why;
    onSight({ kind: "sight", at: now(), source: id, ...(blindness ?? { regions }) });
  };
  say({ regions, why: reason });
  return {
    tell(blindness) {
      if (blindness?.why !== told) say(blindness);
    },
  };
};
