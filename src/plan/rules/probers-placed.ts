import type { Environment } from "../model.ts";
import type { Complaint } from "../source/source.ts";
import { valuesOf } from "../values-of.ts";
import type { EnvironmentRule } from "./rule.ts";

/** Probes in their region run one very image, and what they need reaches them there. */
export const probersPlaced: EnvironmentRule = (environment) => [
  ...Object.entries(environment.regions).flatMap(([region, { probe }]): readonly Complaint[] =>
    probe?.in === undefined || /@sha256:[0-9a-f]{64}$/.test(probe.in.image)
      ? []
      : [
          {
            code: "VALUE_WRONG",
            message: `${probe.in.image} may be another image tomorrow`,
            path: ["regions", region, "probe", "in", "image"],
            hint: "write registry/midflight@sha256:…",
          },
        ],
  ),
  ...unreachable(environment),
];

/** What a pod cannot read: files of this machine, and variables that no Secret brings. */
const unreachable = (environment: Environment): readonly Complaint[] =>
  valuesOf(environment).flatMap(({ value, path, what, isReadElsewhere }): readonly Complaint[] => {
    if (isReadElsewhere !== true || typeof value === "string") return [];
    if ("file" in value)
      return [
        {
          code: "VALUE_WRONG",
          message: `${what} would be read from a file of this machine, and its probes run elsewhere`,
          path,
          hint: "write { env: NAME }, and put it into the Secret of `in.env`",
        },
      ];
    const [, region = ""] = path.map(String);
    return environment.regions[region]?.probe?.in?.env !== undefined || value.default !== undefined
      ? []
      : [
          {
            code: "VALUE_WRONG",
            message: `no Secret is named that brings ${value.env} to the probes of ${region}: ${what}`,
            path,
            hint: "name it: in: { env: SECRET }",
          },
        ];
  });
