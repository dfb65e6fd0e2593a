import * as z from "zod";
import { readDuration, readFrequency, readPercent, readRate, type Reading } from "./duration.ts";

/** A text that one of our readers understands, already read. The issue carries how far in it the first wrong character stands. */
const read = <T>(what: string, reader: (text: string) => Reading<T>, pattern: string, description: string) =>
  z
    .string({ error: `${what} is expected` })
    .transform((text, context) => {
      const reading = reader(text);
      if (reading.ok) return reading.value;
      context.issues.push({ code: "custom", message: `\`${text}\` is no ${what}: ${reading.why}`, input: text, params: { offset: reading.at } });
      return z.NEVER;
    })
    .meta({ description, pattern });

export const duration = read("duration", readDuration, "^(\\d+(ms|[dhms]))+$", "such as 250ms, 20s, 1m30s or 2h");
export const percent = read("share", readPercent, "^\\d+(\\.\\d+)?%$", "such as 5% or 0.1%");
export const frequency = read("frequency", readFrequency, "^\\d+ per (\\d+ )?(minute|hour|day|week|month|year)s?$", "such as 1 per 30 days");
export const rate = read("rate", readRate, "^\\d+/s$", "such as 30/s");

export const name = z
  .string()
  .regex(/^[a-z][a-z0-9]*([-.][a-z0-9]+)*$/, { error: (issue) => `\`${String(issue.input)}\` is no name: small letters, digits and single hyphens are expected` })
  .meta({ description: "small letters, digits and hyphens" });

export const count = z.int({ error: "a whole number is expected" }).min(0).max(10_000);
export const argv = z.array(z.string()).min(1, { error: "a program is expected" }).meta({ description: "program and arguments; no shell reads them" });
export const url = z.url({ protocol: /^(https?|wss?|postgres(ql)?)$/, error: (issue) => `\`${String(issue.input)}\` is no address` });
export const secretRef = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })]).meta({ description: "from an environment variable or a file" });
export const value = z.union([z.string(), secretRef], { error: "a text, { env: NAME } or { file: PATH } is expected" });
