import { messageOf } from "../../../errors/message-of.ts";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { sqlState, unreachable } from "../explain-error.ts";
import type { Target } from "../target.ts";

/** Why a copy of a database could not be made, and what is to be done. `inTheWay`: sessions on the source, in words. */
export const refusedCopy = (source: Target, cause: unknown, inTheWay: readonly string[]): UpgradeError => {
  if (cause instanceof UpgradeError) return cause;
  const state = sqlState(cause);
  const why = WHY[state ?? ""];
  if (why === undefined) {
    if (state === undefined) return unreachable(source, cause, "to copy it");
    return refusal(source, `${messageOf(cause)} (${state})`, "mend what the message names, then rehearse again", cause);
  }
  const facts = why.facts(source.redact(messageOf(cause)), inTheWay);
  return refusal(source, `${facts} (${state})`, why.hint, cause);
};

export const refusal = (source: Target, facts: string, hint: string, cause?: unknown): UpgradeError =>
  new UpgradeError("TRIAL_REFUSED", `${source.place} cannot be copied for a trial: ${source.redact(facts)}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });

type Why = { readonly facts: (message: string, inTheWay: readonly string[]) => string; readonly hint: string };

const inUse: Why["facts"] = (message, inTheWay) =>
  inTheWay.length === 0 ? message : `it is in use by ${inTheWay.join("; ")}`;

const NO_SPACE: Why = {
  facts: (message) => `the server has no space for a copy: ${message}`,
  hint: "make space on the demo server, or let the environment file ask for a sample only once the copy fits",
};

const WHY: Readonly<Record<string, Why>> = {
  "42501": {
    facts: (message) => message,
    hint: "let the store's owner create databases on the demo server: `alter role … createdb`",
  },
  "55006": {
    facts: inUse,
    hint: "end these sessions, or let midflight do it: `trials: { sessions: send-away }` at the store in the demo environment's file",
  },
  "53100": NO_SPACE,
  "58030": NO_SPACE,
  "25006": {
    facts: () => "it is a standby, and a standby cannot be written to",
    hint: "name a server in the demo environment that is no standby",
  },
};
