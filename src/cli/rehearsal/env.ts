import type { Environment } from "../../plan/model.ts";
import { valuesOf } from "../../plan/values-of.ts";
import type { CliIo } from "../io.ts";

/**
 * What a rehearsal and its programs may know: nothing that only production's file reads. A backup plan that takes production's address from
 * its environment then fails in the rehearsal, instead of changing production.
 */
export function withoutProduction(env: CliIo["env"], demo: Environment, production: Environment): CliIo["env"] {
  const shared = new Set(namesIn(demo));
  const secret = new Set(namesIn(production).filter((name) => !shared.has(name)));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secret.has(name)));
}

const namesIn = (environment: Environment): readonly string[] =>
  valuesOf(environment).flatMap(({ value }) => (typeof value === "object" && "env" in value ? [value.env] : []));
