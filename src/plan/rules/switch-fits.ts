import type { EnvironmentRule } from "./rule.ts";

/** Only a Deployment brings a full second set of pods beside the first. */
export const switchFits: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, component]) =>
    component.driver !== "kubernetes" || component.traffic === undefined || component.object.kind === "Deployment"
      ? []
      : [
          {
            code: "DRIVER_CANNOT",
            message: `the pods of a ${component.object.kind} are replaced in their places, so there is no second set of ${name} to switch to`,
            path: ["components", name, "traffic"],
            at: "key" as const,
            hint: "take `traffic` out, or make it a Deployment",
          },
        ],
  );
