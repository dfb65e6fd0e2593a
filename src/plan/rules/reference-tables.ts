import type { Complaint, Path } from "../source/source.ts";
import { repeated, type EnvironmentRule } from "./rule.ts";

/** Each table is compared once, each column of its key once, and what finds a row is not left out of it. */
export const referenceTables: EnvironmentRule = (environment) =>
  Object.entries(environment.components).flatMap(([name, component]) => {
    if (component.driver !== "postgres" || component.reference === undefined) return [];
    const path = ["components", name, "reference"];
    return [
      ...complain(
        component.reference.map(({ table }) => table),
        (index) => [...path, index, "table"],
      ),
      ...component.reference.flatMap(({ table, key, ignore }, index) => [
        ...complain(key, (at) => [...path, index, "key", at]),
        ...key
          .filter((column) => ignore.includes(column))
          .map((column) => ({
            code: "VALUE_WRONG",
            message: `rows of ${table} are found by "${column}", so it cannot be ignored`,
            path: [...path, index, "ignore"],
            hint: "take it out of `ignore`, or name other columns as `key`",
          })),
      ]),
    ];
  });

const complain = (items: readonly string[], pathOf: (index: number) => Path): readonly Complaint[] =>
  repeated(items).map(({ item, index }) => ({
    code: "NAME_REPEATED",
    message: `"${item}" is named twice`,
    path: pathOf(index),
    hint: "delete one of the two",
  }));
