import type { Problem } from "../errors/problem.ts";
import type { Located } from "./located.ts";
import type { Environment } from "./model.ts";
import { inOrder } from "./source/in-order.ts";
import { problemAt } from "./source/source.ts";
import { valuesOf } from "./values-of.ts";

/** Every environment variable that the environment wants and that is not set, or empty. Values are never printed. */
export const checkSecrets = (
  { value, source }: Located<Environment>,
  env: Readonly<Record<string, string | undefined>>,
): readonly Problem[] =>
  inOrder(
    valuesOf(value).flatMap(({ value: wanted, path, what, isReadElsewhere }) => {
      if (isReadElsewhere === true) return [];
      if (typeof wanted === "string" || !("env" in wanted) || wanted.default !== undefined || isSet(env, wanted.env))
        return [];
      const state = env[wanted.env] === undefined ? "is not set" : "is empty";
      return [
        problemAt(source, {
          code: "SECRET_MISSING",
          message: `the environment variable ${wanted.env} ${state}: ${what}`,
          path: [...path, "env"],
          hint: `set ${wanted.env}, and start again`,
        }),
      ];
    }),
  );

const isSet = (env: Readonly<Record<string, string | undefined>>, name: string): boolean =>
  env[name] !== undefined && env[name] !== "";
