import type { Environment, Operation } from "./model.ts";
import { countersOf } from "./entry.ts";
import { operationsIn, VENUE_OPERATIONS } from "./operations-of.ts";
import { regionsOf } from "./regions-of.ts";
import type { Path } from "./source/source.ts";

/** Something that counts what users do, and where it stands in the file. */
export type LiveCover = {
  /** "the counters of gateway", "sources[1]". */
  readonly what: string;
  readonly path: Path;
  readonly regions: readonly string[];
  readonly operations: readonly Operation[];
};

/** All that counts users' operations: counters of instances, then live sources. */
export const liveCovers = (environment: Environment): readonly LiveCover[] => [
  ...Object.entries(environment.components).flatMap(([name, component]): readonly LiveCover[] =>
    countersOf(component) === undefined
      ? []
      : [
          {
            what: `the counters of ${name}`,
            path: ["components", name, "counters"],
            regions: regionsOf(environment, component),
            operations: [...new Set([...VENUE_OPERATIONS, ...operationsIn(environment)])],
          },
        ],
  ),
  ...environment.sources.map(({ regions, operations }, index) => ({
    what: `sources[${index}]`,
    path: ["sources", index],
    regions,
    operations,
  })),
];
