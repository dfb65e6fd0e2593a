import type { EnvironmentRule } from "./rule.ts";

/** Clones are made on the store's own server, and to make them its sessions may be ended: not where real users are. */
export const trialsInDemo: EnvironmentRule = (environment) =>
  environment.class === "demo"
    ? []
    : Object.entries(environment.components).flatMap(([name, component]) =>
        component.driver === "postgres" && component.trials !== undefined
          ? [
              {
                code: "TRIALS_IN_PRODUCTION" as const,
                message: `migrations would be tried on the server of ${name}, in an environment of class production`,
                path: ["components", name, "trials"],
                hint: `take trials out here, and write them to the environment in which this one is rehearsed`,
              },
            ]
          : [],
      );
