import * as z from "zod";
import { parseJsonPath } from "../json-path.ts";
import { EXPECTED, type Detail } from "./expected.ts";

/** Where in a JSON answer a value stands. Stays a text, so that the JSON Schema says what is written. */
export const jsonPath = () =>
  z
    .string()
    .check((context) => {
      const parsed = parseJsonPath(context.value);
      if (parsed.kind === "read") return;
      const params: Detail = { why: parsed.why, at: parsed.at, length: parsed.length };
      context.issues.push({ code: "custom", input: context.value, params, continue: true });
    })
    .meta({ examples: ["data[0].sCode"] })
    .register(EXPECTED, { text: "a JSON path such as data[0].sCode" });
