import * as z from "zod";
import { CHOICE, EXPECTED, NOUN } from "./expected.ts";
import { httpUrl, name, operation as operationName, text, urlPath, value } from "./fields.ts";
import { jsonPath } from "./json-path-field.ts";
import { perSecond } from "./quantity-field.ts";

const headerName = () =>
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)
    .register(EXPECTED, { text: "the name of a header" });

const headers = () => z.record(headerName(), text()).register(NOUN, { noun: "list of headers" });

/** What stands between the braces of a placeholder. */
const placeholder = () =>
  z
    .string()
    .regex(/^[a-z][a-zA-Z0-9]*$/)
    .register(EXPECTED, { text: "a name such as paymentId" });

const body = z
  .union([
    z.strictObject({ json: z.unknown().describe("Any value. Its texts may hold placeholders.") }),
    z.strictObject({
      text: text().describe("A text, with placeholders as they are. A brace as such is written twice."),
    }),
  ])
  .register(CHOICE, { what: "body" })
  .register(NOUN, { noun: "body" });

const shown = z
  .strictObject({
    at: jsonPath().describe("JSON path in the answer."),
    is: text().describe("What must stand there. May hold placeholders."),
    path: urlPath().describe("Path of the request. May hold placeholders."),
    method: z.enum(["GET", "POST"]).optional().describe("Default GET."),
    headers: headers().optional().describe("Besides those of the probe."),
  })
  .register(NOUN, { noun: "proof of execution" });

const operation = z
  .strictObject({
    method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).describe("Method of the request."),
    path: urlPath().describe("Path of the request, after that of the address. Placeholders are escaped in it."),
    headers: headers().optional().describe("Besides those of the probe."),
    body: body.optional().describe("Body of the request."),
    keep: z
      .record(placeholder(), jsonPath())
      .register(NOUN, { noun: "list of kept values" })
      .optional()
      .describe("Placeholder for later operations of the chain → JSON path of its value in the answer."),
    shown: shown
      .optional()
      .describe(
        "Asked until it shows that the operation was executed, for one deadline more: an answer is no execution.",
      ),
  })
  .register(NOUN, { noun: "operation" });

export const httpProbeSchema = z
  .strictObject({
    url: httpUrl().describe("Address of the region's system; its path stands before those of the operations."),
    rules: name().optional().describe("Class rules, by name. Default okx-v5."),
    values: z
      .record(placeholder(), value())
      .register(NOUN, { noun: "list of values" })
      .optional()
      .describe("Values for placeholders: {token} in a request stands for the value token."),
    cohorts: value()
      .optional()
      .describe(
        "JSON list of {cohort, …}, one for each cohort that can fail alone: its other keys are values for placeholders. Default: one cohort.",
      ),
    headers: headers()
      .optional()
      .describe("Of every request. May hold placeholders: {id}, {now}, {nowMs}, {cohort}, and values."),
    operations: z
      .record(operationName(), operation)
      .register(NOUN, { noun: "operation" })
      .describe(
        "What a user does, one after the other and again from the first; guard.operations of the plan names them. {id} is fresh for each, {pay.id} is the id of the operation pay before it.",
      ),
    cleanUp: operationName()
      .optional()
      .describe(
        "Operation that takes back what the first one began: run for whatever may be left open, at the end and at a resume. Best by an id that the probe chose, such as {pay.id}: an answer may be lost.",
      ),
    releaseHeader: headerName()
      .optional()
      .describe("Header of an answer with the release that served it, as releases.yaml calls it."),
    instanceHeader: headerName().optional().describe("Header of an answer with the id of the instance that served it."),
    most: perSecond({ max: 1000 })
      .optional()
      .describe("Most requests of one cohort. Default: as often as the plan probes."),
  })
  .register(NOUN, { noun: "probe" });

export type HttpProbeInput = z.infer<typeof httpProbeSchema>;
