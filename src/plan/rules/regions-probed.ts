import type { EnvironmentRule } from "./rule.ts";

/** Where nobody probes and nobody counts, the guard is blind. */
export const regionsProbed: EnvironmentRule = (environment) => {
  const regions = Object.entries(environment.regions);
  if (regions.length === 0)
    return [
      {
        code: "REGION_UNPROBED",
        message: "the environment has no region",
        path: ["regions"],
        hint: "add at least one, with its probe",
      },
    ];
  // Counters of instances go with the instances; a source that is named for a region vouches for it.
  const counted = environment.sources.flatMap((source) => source.regions);
  return regions.flatMap(([name, { probe }]) =>
    probe === undefined && !counted.includes(name)
      ? [
          {
            code: "REGION_UNPROBED",
            message: `${name} has no probe and no source counts what users do there, so the guard could not see what users see`,
            path: ["regions", name],
            at: "key" as const,
            hint: "add `probe: { okx: { rest, accounts } }`, `probe: { http: { url, operations } }`, or a source under `sources`",
          },
        ]
      : [],
  );
};
