import type { Seen } from "../../guard/classify.ts";
import type { Rules } from "../../guard/rules.ts";
import { valueAt, type JsonPath } from "../../plan/json-path.ts";
import type { HttpReply } from "./http-client.ts";
import type { Plain } from "./http-request.ts";

/** What of an answer its class is told by. */
export const seenIn = (reply: HttpReply, rules: Rules): Seen => {
  if ("transport" in reply) return reply;
  const body = jsonOf(reply.text);
  const code = rules.code.map((path) => plainAt(body, path)).find((value) => value !== undefined && value !== "");
  return {
    http: reply.http,
    ...(code === undefined ? {} : { code: String(code) }),
    isPage: body === undefined && reply.text.trim() !== "",
  };
};

/** A text, number or truth value that an answer holds at a path. */
export const plainIn = (reply: HttpReply, path: JsonPath): Plain | undefined =>
  "transport" in reply ? undefined : plainAt(jsonOf(reply.text), path);

const plainAt = (body: unknown, path: JsonPath): Plain | undefined => {
  const value = valueAt(body, path);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
