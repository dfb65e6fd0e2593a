import type { EnvironmentRule } from "./rule.ts";

/** Where nobody probes, the guard is blind between two users, and nothing can be proved in the dark. */
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
  return regions.flatMap(([name, { probe }]) =>
    probe === undefined
      ? [
          {
            code: "REGION_UNPROBED",
            message: `${name} has no probe, so the guard could not see what users see there`,
            path: ["regions", name],
            at: "key" as const,
            hint: "add `probe: { okx: { rest, accounts } }`, or `probe: { http: { url, operations } }`",
          },
        ]
      : [],
  );
};
