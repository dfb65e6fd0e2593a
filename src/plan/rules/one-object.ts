import type { KubernetesKey } from "../model.ts";
import type { EnvironmentRule } from "./rule.ts";

const KEYS: readonly KubernetesKey[] = ["deployment", "statefulSet", "daemonSet"];

/** The pods of a component belong to one thing. */
export const oneObject: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, component]) => {
    if (component.driver !== "kubernetes" || component.named.length === 1) return [];
    const [, second] = component.named;
    if (second === undefined)
      return [
        {
          code: "KEY_MISSING",
          message: `${name} does not say what its pods belong to`,
          path: ["components", name],
          at: "key" as const,
          hint: `add one of ${KEYS.join(", ")}, with its name`,
        },
      ];
    return [
      {
        code: "KEY_UNKNOWN",
        message: `pods belong to one of ${KEYS.join(", ")}, and ${name} says ${component.named.length} of them`,
        path: ["components", name, second],
        at: "key" as const,
        hint: `make it ${component.named.length} components`,
      },
    ];
  });
