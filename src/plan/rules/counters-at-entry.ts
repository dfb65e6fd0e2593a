import { countersOf, isEntry } from "../entry.ts";
import type { EnvironmentRule } from "./rule.ts";

/** Counters are read where users' operations enter, and nowhere else. */
export const countersAtEntry: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, placed]) =>
    countersOf(placed) !== undefined && !isEntry(placed)
      ? [
          {
            code: "GUARD_BLIND",
            message: `${name} counts operations, and \`entry: false\` says that none of a user's enter there, so nobody would read them`,
            path: ["components", name, "entry"],
            hint: "leave `entry` out, or take `counters` away",
          },
        ]
      : [],
  );
