import { isFailure, isNoSample, type Classified } from "../../guard/classify.ts";
import type { OutcomeClass, Rules } from "../../guard/rules.ts";
import type { Protocol } from "../../guard/protocol.ts";
import type { Operation } from "../../plan/model.ts";

/** What came of one probe operation. `none`: it says nothing about the venue, and why. */
export type ProbeOutcome = {
  readonly operation: Operation;
  readonly release?: string;
  readonly instance?: string;
  /** How it was sent. Default REST. */
  readonly protocol?: Protocol;
  /** Whether the answer asks to close the connection. */ readonly isClosing?: boolean;
  /** What it was taken for, where no rule names its code. */
  readonly unlisted?: { readonly rules: string; readonly code: string; readonly outcome: OutcomeClass };
} & (
  | { readonly kind: "ok" }
  | {
      readonly kind: "failed";
      readonly code: string;
      /** Whether an instance of the venue answered. */ readonly isReached: boolean;
    }
  | {
      readonly kind: "none";
      readonly why: string;
      /** Whether somebody answered, and refused it: on its merits, by a limit or for its key. */
      readonly isRefused: boolean;
    }
);

/** Who says that it served the answer. */
export type Served = Pick<ProbeOutcome, "release" | "instance" | "isClosing">;

export type Judged = {
  readonly operation: Operation;
  /** Of the row or envelope, else what stood in its place. */
  readonly code: string;
  readonly classified: Classified;
  readonly rules: Rules;
  readonly isReached: boolean;
  readonly served: Served;
};

/** What a classified answer says about one operation of a probe. */
export const outcomeFrom = ({ operation, code, classified, rules, isReached, served }: Judged): ProbeOutcome => {
  const { outcome, isListed } = classified;
  const told = { operation, ...served, ...(isListed ? {} : { unlisted: { rules: rules.name, code, outcome } }) };
  if (isFailure(outcome)) return { ...told, kind: "failed", code, isReached };
  if (outcome === "ok") return { ...told, kind: "ok" };
  if (isNoSample(outcome))
    return {
      ...told,
      kind: "none",
      isRefused: outcome !== "planned",
      why: `probes are refused with ${code} (${WHY[outcome]})`,
    };
  return { ...told, kind: "none", isRefused: true, why: `probes are rejected with ${code}` };
};

const WHY: Readonly<Partial<Record<OutcomeClass, string>>> = {
  rate: "rate limit",
  auth: "key or signature",
  planned: "planned",
};

/** What we made ourselves is unknown there: state was lost, whatever class the code has for users. */
export const lostIfUnknown = (outcome: ProbeOutcome, code: string, rules: Rules): ProbeOutcome => {
  if (outcome.kind !== "none" || !rules.lostState.includes(code)) return outcome;
  const { why: _why, isRefused: _isRefused, ...rest } = outcome;
  return { ...rest, kind: "failed", code, isReached: true };
};
