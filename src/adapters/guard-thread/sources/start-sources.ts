import type { WatchConfig, WatchedSource } from "../../../ports/watcher.ts";
import { startScraper } from "../scraper.ts";
import { startCommand } from "./command.ts";
import type { LiveSink, LiveSource, SourceClock } from "./live-source.ts";
import { startPrometheus } from "./prometheus.ts";

/** Starts all that counts users' operations. */
export const startSources = (
  { counters, sources = [] }: Pick<WatchConfig, "counters" | "sources">,
  how: SourceClock & LiveSink,
): readonly LiveSource[] => [
  ...(counters === undefined ? [] : [startScraper({ ...counters, ...how })]),
  ...sources.map((source) => start(source, how)),
];

const start = (source: WatchedSource, how: SourceClock & LiveSink): LiveSource => {
  switch (source.kind) {
    case "prometheus":
      return startPrometheus({ ...source, ...how });
    case "command":
      return startCommand({ ...source, ...how });
  }
};
