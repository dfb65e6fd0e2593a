import type { Parsed } from "./located.ts";
import type { Plan } from "./model.ts";
import { parseFile, type Format, type Input } from "./parse-file.ts";
import { planSchema } from "./schema/plan-schema.ts";
import { toPlan } from "./to-plan.ts";

const PLAN: Format<typeof planSchema, Plan> = { kind: "plan", schema: planSchema, build: toPlan };

/** Its shape only; whether it makes sense is what `checkPlan` and `checkTogether` say. Paths stay as written. */
export const parsePlan = (input: Input, file: string): Parsed<Plan> => parseFile(PLAN, input, file);
