import { suggest } from "../nearest.ts";
import type { EnvironmentRule } from "./rule.ts";

/** What pods are said to come to is a store of the same environment. */
export const storesKnown: EnvironmentRule = ({ components }) => {
  const known = Object.entries(components).flatMap(([name, { driver }]) => (driver === "postgres" ? [name] : []));
  return Object.entries(components).flatMap(([name, component]) =>
    component.driver !== "kubernetes"
      ? []
      : Object.keys(component.stores)
          .filter((store) => !known.includes(store))
          .map((store) => {
            const hint = suggest(store, known);
            return {
              code: "COMPONENT_UNKNOWN" as const,
              message: `the environment has no store "${store}"`,
              path: ["components", name, "stores", store],
              ...(hint === undefined ? {} : { hint }),
            };
          }),
  );
};
