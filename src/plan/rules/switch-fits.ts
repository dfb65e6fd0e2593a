import type { EnvironmentRule } from "./rule.ts";

/** A share goes to one of two Services. */
export const besideDiffers: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, component]) =>
    component.driver !== "kubernetes" ||
    component.traffic?.kind !== "httpRoute" ||
    component.traffic.beside !== component.service
      ? []
      : [
          {
            code: "DRIVER_CANNOT",
            message: `${name} has ${component.service} as its service and as the one beside it, so that no weight tells the releases apart`,
            path: ["components", name, "traffic", "beside"],
            hint: "name the second Service of the route's rules",
          },
        ],
  );

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
