import { durationText } from "../duration.ts";
import type { Environment, LiveSource } from "../model.ts";
import { suggest } from "../nearest.ts";
import { offersIn } from "../operations-of.ts";
import type { Complaint, Path } from "../source/source.ts";
import { repeated, type EnvironmentRule } from "./rule.ts";

/** A live source tells of regions of this environment, is found at an address, and is asked often enough to be believed. */
export const sourcesFit: EnvironmentRule = (environment) =>
  environment.sources.flatMap((source, index) => [
    ...unknownRegions(environment, source, index),
    ...untriedOperations(environment, source, index),
    ...namedTwice(source.regions, ["sources", index, "regions"]),
    ...namedTwice(source.operations, ["sources", index, "operations"]),
    ...(source.kind === "prometheus" ? [...noAddress(source, index), ...staleAtOnce(source, index)] : []),
  ]);

const unknownRegions = (environment: Environment, { regions }: LiveSource, index: number): readonly Complaint[] =>
  regions.flatMap((region, place) =>
    Object.hasOwn(environment.regions, region)
      ? []
      : [
          {
            code: "REGION_UNKNOWN",
            message: `the environment has no region "${region}"`,
            path: ["sources", index, "regions", place],
            hint: suggest(region, Object.keys(environment.regions)) ?? "add it under `regions`",
          },
        ],
  );

/** What is watched must be probed where anything is, so nobody would look at a count of anything else. */
const untriedOperations = (
  environment: Environment,
  { operations }: LiveSource,
  index: number,
): readonly Complaint[] => {
  const tried = offersIn(environment).flatMap(({ offered }) => offered);
  if (tried.length === 0) return [];
  return operations.flatMap((operation, place) =>
    tried.includes(operation)
      ? []
      : [
          {
            code: "OPERATION_UNPROBED",
            message: `no probe tries the operation "${operation}"`,
            path: ["sources", index, "operations", place],
            hint: suggest(operation, tried) ?? `name some of ${[...new Set(tried)].join(", ")}`,
          },
        ],
  );
};

const namedTwice = (names: readonly string[], path: Path): readonly Complaint[] =>
  repeated(names).map(({ item, index }) => ({
    code: "NAME_REPEATED",
    message: `"${item}" is named twice`,
    path: [...path, index],
    hint: "delete one of the two",
  }));

type Prometheus = Extract<LiveSource, { kind: "prometheus" }>;

const noAddress = ({ url }: Prometheus, index: number): readonly Complaint[] =>
  typeof url !== "string" || /^https?:\/\/[^\s/?#]+[^\s?#]*$/.test(url)
    ? []
    : [
        {
          code: "VALUE_WRONG",
          message: `"url" must be the base address of a Prometheus server`,
          path: ["sources", index, "prometheus", "url"],
          hint: "write one such as http://127.0.0.1:9090",
        },
      ];

/** Between two looks a sample grows as old as the time between them. */
const staleAtOnce = ({ everyMs, staleAfterMs }: Prometheus, index: number): readonly Complaint[] =>
  staleAfterMs >= 2 * everyMs
    ? []
    : [
        {
          code: "VALUE_WRONG",
          message: `samples would be stale after ${durationText(staleAfterMs)}, and are asked for every ${durationText(everyMs)} only`,
          path: ["sources", index, "prometheus", "staleAfter"],
          hint: `make it ${durationText(2 * everyMs)} or more, or ask more often with \`every\``,
        },
      ];
