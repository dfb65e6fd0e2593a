import type { EnvironmentRule } from "./rule.ts";

/** What is rehearsed somewhere is where real users are; as class demo it would be upgraded without a certificate. */
export const classFits: EnvironmentRule = (environment) =>
  environment.class === "demo" && environment.rehearsedIn !== undefined
    ? [
        {
          code: "CLASS_CONTRADICTED",
          message: `an environment of class demo is rehearsed nowhere, and this one says in ${environment.rehearsedIn}`,
          path: ["class"],
          hint: "write class: production, or leave rehearsedIn out",
        },
      ]
    : [];
