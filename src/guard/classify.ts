import { OKX_V5 } from "./rules-okx.ts";
import type { OutcomeClass, Rules, Transport } from "./rules.ts";

/** What a client saw: a transport error, or an answer. `code` is the row's, else the envelope's, absent when the body was not understood. */
export type Seen = { readonly transport: Transport } | { readonly http: number; readonly code?: string };

export type Classified = {
  readonly outcome: OutcomeClass;
  /** Whether a rule names it; the others are listed for whoever keeps the rules. */
  readonly isListed: boolean;
};

/** Outcome → class. Total: what no rule names fails when it is an HTTP 5xx or a 50xxx, and is business otherwise. */
export const classify = (seen: Seen, rules: Rules = OKX_V5): Classified => {
  if ("transport" in seen) return { outcome: rules.transport[seen.transport], isListed: true };
  return seen.code === undefined ? classifyBare(seen.http, rules) : classifyCode(seen.http, seen.code, rules);
};

/** Whether the user did not get what he asked for. Rate limits and auth errors say nothing about the service. */
export const isFailure = (outcome: OutcomeClass): boolean =>
  outcome === "service" || outcome === "ambiguous" || outcome === "maintenance";

/** Whether the outcome says nothing about the service: an operation that ended so is no sample. */
export const isNoSample = (outcome: OutcomeClass): boolean =>
  outcome === "rate" || outcome === "auth" || outcome === "planned";

const classifyCode = (http: number, code: string, rules: Rules): Classified => {
  const listed = Object.hasOwn(rules.codes, code) ? rules.codes[code] : undefined;
  if (listed !== undefined) return { outcome: listed, isListed: true };
  const fails = http >= 500 || (code.length === 5 && code.startsWith(rules.failingPrefix));
  return { outcome: fails ? "service" : "business", isListed: false };
};

// No code at all: whatever stands in front of the venue has answered, or a page of HTML came with status 200. Nobody got an order.
const classifyBare = (http: number, rules: Rules): Classified => {
  const listed = rules.bare[String(http)];
  return listed === undefined
    ? { outcome: http >= 200 && http < 300 ? "ambiguous" : "service", isListed: false }
    : { outcome: listed, isListed: true };
};
