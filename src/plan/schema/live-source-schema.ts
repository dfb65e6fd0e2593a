import * as z from "zod";
import { CHOICE, EXPECTED, NOUN } from "./expected.ts";
import { argv, flag, metric, name, operation, secret, value } from "./fields.ts";
import { duration } from "./quantity-field.ts";

const label = () =>
  z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
    .register(EXPECTED, { text: "the name of a label such as instance" });

const labels = z
  .strictObject({
    operation: label().optional().describe("What the user did, such as order. Default operation."),
    code: label().optional().describe("Code of the answer, as the API gives it. Default code."),
    http: label().optional().describe("HTTP status of the answer; absent means 200. Default http."),
    cohort: label().optional().describe("Users who can fail alone. Default cohort."),
    region: label().optional().describe("Region of this environment. Default region."),
    release: label().optional().describe("Release such as gateway@2.0, or its version alone. Default release."),
    instance: label().optional().describe("Instance, by its id or its host and port. Default instance."),
  })
  .register(NOUN, { noun: "set of labels" });

const server = {
  url: value().describe("Base address of the Prometheus server, such as http://127.0.0.1:9090."),
  token: secret().optional().describe("Bearer token."),
  labels: labels.optional().describe("Which label of the counter says what."),
  codes: flag()
    .optional()
    .describe("False: the counter has no label for codes, and an HTTP status of 2xx is a success. Default true."),
  every: duration({ min: 250, max: 60_000 }).optional().describe("How often it is asked, at least 250ms. Default 1s."),
  staleAfter: duration({ min: 500, max: 600_000 })
    .optional()
    .describe("Samples older than this are no news: more than two scrapes. Default 30s, or three times `every`."),
};

const counter = z
  .union([
    z.strictObject({
      metric: metric().describe("Cumulative counter of operations."),
      match: z
        .array(
          z
            .string()
            .regex(/^[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"(?:[^"\\\n]|\\.)*"$/)
            .register(EXPECTED, { text: 'a matcher such as cluster="tokyo-1"' }),
        )
        .optional()
        .describe("Only series whose labels match; of several replicas of a server, one alone."),
      ...server,
    }),
    z.strictObject({
      query: z
        .string()
        .regex(/\[\s*[0-9][0-9a-z]*\s*\]\s*$/)
        .register(EXPECTED, { text: 'PromQL that ends in a range, such as orders_total{cluster="a"}[30s]' })
        .describe("Selects raw samples of a cumulative counter: it ends in a range of more than two scrapes."),
      ...server,
    }),
  ])
  .register(CHOICE, { what: "counter" })
  .register(NOUN, { noun: "counter" });

const covers = {
  regions: z.array(name()).min(1).optional().describe("Regions that it tells of. Default: all."),
  operations: z
    .array(operation())
    .min(1)
    .optional()
    .describe(
      "Operations that it tells of. Default: all that are probed; order, amend and cancel where nobody probes.",
    ),
  rules: name().optional().describe("Class rules for its codes, by name. Default okx-v5."),
  countsProbes: flag()
    .optional()
    .describe("Whether the guard's own probes are counted too. Default: true for prometheus, false for command."),
};

export const liveSourceSchema = z
  .union([
    z.strictObject({
      prometheus: counter.describe("A counter of operations in a Prometheus server."),
      ...covers,
    }),
    z.strictObject({
      command: argv().describe("Program that prints counts as NDJSON for as long as it runs. No shell."),
      silentAfter: duration({ min: 500, max: 600_000 })
        .optional()
        .describe("No closed bin for this long is silence. Default 5s."),
      ...covers,
    }),
  ])
  .register(CHOICE, { what: "source" })
  .register(NOUN, { noun: "source" });

export type LiveSourceInput = z.infer<typeof liveSourceSchema>;
