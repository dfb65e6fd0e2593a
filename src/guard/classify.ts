import { classIn, type OutcomeClass, type Rules, type Transport } from "./rules.ts";

/**
 * What a client saw: a transport error, or an answer. `code` is the row's, else the envelope's, absent when the body was not understood.
 * `isPage`: the body is no JSON and not empty.
 */
export type Seen =
  | { readonly transport: Transport }
  | { readonly http: number; readonly code?: string; readonly isPage?: boolean };

export type Classified = {
  readonly outcome: OutcomeClass;
  /** Whether a rule names it; the others are listed for whoever keeps the rules. */
  readonly isListed: boolean;
};

/** Outcome → class. Total: what no rule names fails when it is an HTTP 5xx or has the failing prefix, and is business otherwise. */
export const classify = (seen: Seen, rules: Rules): Classified => {
  if ("transport" in seen) return { outcome: rules.transport[seen.transport], isListed: true };
  return seen.code === undefined ? classifyStatus(seen, rules) : classifyCode(seen.http, seen.code, rules);
};

/** Whether the user did not get what he asked for. Rate limits and auth errors say nothing about the service. */
export const isFailure = (outcome: OutcomeClass): boolean =>
  outcome === "service" || outcome === "ambiguous" || outcome === "maintenance";

/** Whether the outcome says nothing about the service: an operation that ended so is no sample. */
export const isNoSample = (outcome: OutcomeClass): boolean =>
  outcome === "rate" || outcome === "auth" || outcome === "planned";

const classifyCode = (http: number, code: string, rules: Rules): Classified => {
  const listed = classIn(rules.codes, code);
  if (listed !== undefined) return { outcome: listed, isListed: true };
  const fails = http >= 500 || hasFailingPrefix(code, rules);
  return { outcome: fails ? "service" : "business", isListed: false };
};

const hasFailingPrefix = (code: string, { failing }: Rules): boolean =>
  failing !== undefined &&
  code.startsWith(failing.prefix) &&
  (failing.length === undefined || code.length === failing.length);

// No code at all: whatever stands in front of the system has answered, or a page of HTML came with status 200. Nobody got what he asked for.
const classifyStatus = (
  { http, isPage }: { readonly http: number; readonly isPage?: boolean },
  rules: Rules,
): Classified => {
  const listed = classIn(rules.status, String(http));
  if (listed === undefined) return { outcome: http >= 200 && http < 300 ? "ambiguous" : "service", isListed: false };
  return {
    outcome: listed === "ok" && isPage === true && rules.answers === "json" ? "ambiguous" : listed,
    isListed: true,
  };
};
