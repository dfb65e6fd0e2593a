import * as z from "zod";
import { environmentDocument } from "./environment-schema.ts";
import { planDocument } from "./plan-schema.ts";
import { releasesDocument } from "./releases-schema.ts";

const of = (schema: z.ZodType, title: string): object => ({ title, ...z.toJSONSchema(schema, { target: "draft-7", io: "input" }) });

/** The schemas that editors read: draft-07, which the YAML language server understands. */
export const jsonSchemas = (): { readonly plan: object; readonly environment: object; readonly releases: object } => ({
  plan: of(planDocument, "midflight plan"),
  environment: of(environmentDocument, "midflight environment"),
  releases: of(releasesDocument, "midflight releases"),
});
