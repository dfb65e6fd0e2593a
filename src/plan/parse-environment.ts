import type { Parsed } from "./located.ts";
import type { Environment } from "./model.ts";
import { parseFile, type Format, type Input } from "./parse-file.ts";
import { environmentSchema } from "./schema/environment-schema.ts";
import { toEnvironment } from "./to-environment.ts";

const ENVIRONMENT: Format<typeof environmentSchema, Environment> = {
  kind: "environment",
  schema: environmentSchema,
  build: toEnvironment,
};

/** Its shape only. Paths stay as written. */
export const parseEnvironment = (input: Input, file: string): Parsed<Environment> =>
  parseFile(ENVIRONMENT, input, file);
