import * as z from "zod";
import { OUTCOME_CLASSES, SHIPPED_RULES } from "../outcome-class.ts";
import { CHOICE, EXPECTED, NOUN } from "./expected.ts";
import { text } from "./fields.ts";
import { jsonPath } from "./json-path-field.ts";

const code = () =>
  z
    .string()
    .regex(/^\S{1,64}$/)
    .register(EXPECTED, { text: 'a text without spaces such as "50001" or "50101-50114"' });

/** People write 429, and a range is a text. */
const status = () =>
  z
    .union([z.int().min(100).max(599), z.string().regex(/^[1-5]\d\d(-[1-5]\d\d)?$/)])
    .register(EXPECTED, { text: "a status of HTTP such as 429 or 500-599" })
    .register(CHOICE, { what: "status" });

const byClass = <Item extends z.ZodType>(item: () => Item, what: string) => {
  const list = (means: string) => z.array(item()).min(1).max(1000).optional().describe(means);
  return z
    .strictObject({
      ok: list("The user got what was asked for."),
      service: list("The system failed. Counts as a failure."),
      ambiguous: list("Executed or not is unknown. Counts as a failure."),
      maintenance: list("Refused for certain because of a planned phase. Counts as a failure."),
      rate: list("A rate limit: says nothing about the service."),
      auth: list("The sender was not let in: says nothing about the service."),
      business: list("Refused on its merits, so the service is healthy."),
      planned: list("An announced event: says nothing about the service."),
    })
    .register(NOUN, { noun: what });
};

const outcomeClass = () => z.enum(OUTCOME_CLASSES).optional();

export const classRulesSchema = z
  .strictObject({
    extends: z
      .enum([SHIPPED_RULES])
      .optional()
      .describe("A table that ships, to which this one adds; its own rows win."),
    code: z
      .array(jsonPath())
      .optional()
      .describe(
        "Where the code stands in a JSON answer: the first of these paths that holds one decides. Default: those of the table that is extended, else none, so that the status decides.",
      ),
    codes: byClass(code, "list of codes")
      .optional()
      .describe('Class → codes. "50101-50114" is a range of numbers. Codes that stand nowhere are told in the report.'),
    status: byClass(status, "list of statuses")
      .optional()
      .describe(
        "Class → statuses of HTTP, for answers without a code. Default: auth 401 and 403, rate 429, service 503, ambiguous 502 and 504; of others 2xx is ambiguous and the rest service.",
      ),
    transport: z
      .strictObject({
        refused: outcomeClass().describe("Certainly not sent. Default service."),
        cut: outcomeClass().describe("The connection went away under the request. Default ambiguous."),
        timeout: outcomeClass().describe("No answer within the deadline. Default ambiguous."),
      })
      .register(NOUN, { noun: "list of transport errors" })
      .optional()
      .describe("Class of what is no answer at all."),
    lostState: z
      .array(code())
      .optional()
      .describe("Codes that say that something which was there is not known (any more): state was lost."),
    failingPrefix: text()
      .optional()
      .describe("Codes that begin with this and stand nowhere are failures of the service; others are business."),
    answers: z
      .enum(["json", "any"])
      .optional()
      .describe(
        "Whether an answer that is ok by its status alone must be JSON or empty. Otherwise a page of something in front of the system passes for one. Default json.",
      ),
  })
  .register(NOUN, { noun: "rules table" });

export type ClassRulesInput = z.infer<typeof classRulesSchema>;
