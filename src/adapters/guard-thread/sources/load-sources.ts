import { OKX_V5 } from "../../../guard/rules-okx.ts";
import { VENUE_OPERATIONS } from "../../../plan/operations-of.ts";
import type { WatchConfig, WatchedSource } from "../../../ports/watcher.ts";
import { startScraper } from "../scraper.ts";
import type { LiveSink, LiveSource, SourceClock } from "./live-source.ts";

type Start = (how: SourceClock & LiveSink) => LiveSource;

/** Resolves with what starts all that counts users' operations. A kind of source that is not watched is not loaded: it would stay in memory. */
export const loadSources = async ({
  guard,
  counters,
  sources = [],
}: Pick<WatchConfig, "guard" | "counters" | "sources">): Promise<
  (how: SourceClock & LiveSink) => readonly LiveSource[]
> => {
  // A venue's counters tell of all that its users do, also where less is watched.
  const operations = [...new Set([...VENUE_OPERATIONS, ...guard.operations])];
  const starts: readonly Start[] = [
    ...(counters === undefined
      ? []
      : [(how: SourceClock & LiveSink) => startScraper({ rules: OKX_V5, ...counters, operations, ...how })]),
    ...(await Promise.all(sources.map(startOf))),
  ];
  return (how) => starts.map((start) => start(how));
};

const startOf = async (source: WatchedSource): Promise<Start> => {
  switch (source.kind) {
    case "prometheus": {
      const { startPrometheus } = await import("./prometheus.ts");
      return (how) => startPrometheus({ rules: OKX_V5, ...source, ...how });
    }
    case "command": {
      const { startCommand } = await import("./command.ts");
      return (how) => startCommand({ rules: OKX_V5, ...source, ...how });
    }
  }
};
