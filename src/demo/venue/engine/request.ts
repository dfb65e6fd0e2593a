import type { Command } from "./entry.ts";
import type { EngineRequest } from "./protocol.ts";

/** What a line of a gateway means to the engine. */
export type Asked =
  | { readonly kind: "command"; readonly rid: number; readonly command: Command }
  | {
      readonly kind: "question";
      readonly rid: number;
      readonly question: Extract<EngineRequest, { readonly op: "order" | "pending" | "book" | "ticker" | "balance" }>;
    }
  | { readonly kind: "hello" | "status"; readonly rid: number }
  | { readonly kind: "follow"; readonly rid: number; readonly after: number | undefined }
  | { readonly kind: "malformed"; readonly rid: number; readonly why: string };

type Fields = Readonly<Record<string, unknown>>;

/** The fields that an operation cannot do without. Whatever enters the log is checked here: a bad entry would stop both engines. */
const STRINGS: Readonly<Record<string, readonly string[]>> = {
  place: ["uid", "instId", "side", "ordType", "tdMode", "px", "sz", "clOrdId", "tag"],
  amend: ["uid", "instId"],
  cancel: ["uid", "instId"],
  "cancel-all-after": ["uid", "tag"],
  order: ["uid", "instId"],
  pending: ["uid"],
  book: ["instId"],
  ticker: ["instId"],
  balance: ["uid"],
  hello: [],
  status: [],
  follow: [],
};

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  side: ["buy", "sell"],
  ordType: ["limit", "market", "post_only", "ioc", "fok"],
};
const OPTIONAL_STRINGS = ["ordId", "clOrdId", "newSz", "newPx", "reqId"];
const NUMBERS: Readonly<Record<string, string>> = { pending: "limit", book: "depth", "cancel-all-after": "timeOutSec" };

export const readRequest = (message: object): Asked => {
  const fields = message as Fields;
  const rid = typeof fields["rid"] === "number" ? fields["rid"] : -1;
  const op = String(fields["op"]);
  const why = problemOf(op, fields);
  if (why !== undefined) return { kind: "malformed", rid, why };
  const { rid: _rid, ...rest } = message as EngineRequest;
  switch (rest.op) {
    case "place":
    case "amend":
    case "cancel":
    case "cancel-all-after":
      return { kind: "command", rid, command: rest };
    case "order":
    case "pending":
    case "book":
    case "ticker":
    case "balance":
      return { kind: "question", rid, question: { rid, ...rest } };
    case "hello":
    case "status":
      return { kind: rest.op, rid };
    case "follow":
      return { kind: "follow", rid, after: rest.after };
  }
};

const problemOf = (op: string, fields: Fields): string | undefined => {
  const needed = STRINGS[op];
  if (needed === undefined) return `unknown op ${op}`;
  const missing = needed.find((name) => typeof fields[name] !== "string");
  if (missing !== undefined) return `Parameter ${missing} error`;
  const wrong =
    op === "place"
      ? Object.entries(CHOICES).find(([name, choices]) => !choices.includes(String(fields[name])))
      : undefined;
  if (wrong !== undefined) return `Parameter ${wrong[0]} error`;
  const odd = OPTIONAL_STRINGS.find((name) => fields[name] !== undefined && typeof fields[name] !== "string");
  if (odd !== undefined) return `Parameter ${odd} error`;
  const number = NUMBERS[op];
  if (number !== undefined && !isCount(fields[number])) return `Parameter ${number} error`;
  const limit = fields["expTime"] ?? fields["after"];
  return limit === undefined || typeof limit === "number" ? undefined : "Parameter expTime error";
};

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;
