import * as z from "zod";
import { environmentSchema } from "./schema/environment-schema.ts";
import { planSchema } from "./schema/plan-schema.ts";
import { releasesSchema } from "./schema/releases-schema.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** JSON Schemas (draft-07, which is what YAML editors read) of what may be written. */
export const jsonSchemas = (): {
  readonly plan: JsonSchema;
  readonly environment: JsonSchema;
  readonly releases: JsonSchema;
} => ({
  plan: schemaOf(planSchema, "A plan of midflight"),
  environment: schemaOf(environmentSchema, "An environment of midflight"),
  releases: schemaOf(releasesSchema, "Releases of midflight"),
});

const schemaOf = (schema: z.ZodType, title: string): JsonSchema => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input", reused: "inline" });
  return { $schema, title, ...rest };
};
