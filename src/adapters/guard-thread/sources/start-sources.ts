import { OKX_V5 } from "../../../guard/rules-okx.ts";
import { VENUE_OPERATIONS } from "../../../plan/operations-of.ts";
import type { WatchConfig, WatchedSource } from "../../../ports/watcher.ts";
import { startScraper } from "../scraper.ts";
import { startCommand } from "./command.ts";
import type { LiveSink, LiveSource, SourceClock } from "./live-source.ts";
import { startPrometheus } from "./prometheus.ts";

/** Starts all that counts users' operations. */
export const startSources = (
  { guard, counters, sources = [] }: Pick<WatchConfig, "guard" | "counters" | "sources">,
  how: SourceClock & LiveSink,
): readonly LiveSource[] => [
  ...(counters === undefined
    ? []
    : [
        startScraper({
          rules: OKX_V5,
          ...counters,
          // A venue's counters tell of all that its users do, also where less is watched.
          operations: [...new Set([...VENUE_OPERATIONS, ...guard.operations])],
          ...how,
        }),
      ]),
  ...sources.map((source) => start(source, how)),
];

const start = (source: WatchedSource, how: SourceClock & LiveSink): LiveSource => {
  switch (source.kind) {
    case "prometheus":
      return startPrometheus({ rules: OKX_V5, ...source, ...how });
    case "command":
      return startCommand({ rules: OKX_V5, ...source, ...how });
  }
};
