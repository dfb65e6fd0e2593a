/**
 * What an outcome says about the service.
 * `service`: the venue failed. `ambiguous`: executed or not is unknown. `maintenance`: refused for certain because of a planned phase.
 * `rate`, `auth`: the sender is limited or not let in. `business`: refused on its merits, so the service is healthy. `planned`: an announced event.
 */
export type OutcomeClass = "ok" | "service" | "ambiguous" | "maintenance" | "rate" | "auth" | "business" | "planned";

/** Why no answer came. `refused`: certainly not sent. `cut`: the connection went away under the request. `timeout`: the deadline passed. */
export type Transport = "refused" | "cut" | "timeout";

/** Rules of one API, as data. */
export type Rules = {
  /** Code of the row, or of the envelope where there is no row. */
  readonly codes: Readonly<Record<string, OutcomeClass>>;
  /** HTTP status of an answer that carries no code. */
  readonly bare: Readonly<Record<string, OutcomeClass>>;
  readonly transport: Readonly<Record<Transport, OutcomeClass>>;
  /** Codes that begin with this and stand in no list are failures of the service. */
  readonly failingPrefix: string;
  /** Our own resting order is not known any more: the venue lost state. */
  readonly lostState: readonly string[];
};

/** `"50101-50114"` is a range of codes. */
export type RuleRow = readonly [codes: string, outcome: OutcomeClass];

/** Turns rows as a person writes them into a lookup. A later row must not contradict an earlier one; that is a bug of the table. */
export const rulesOf = (rows: readonly RuleRow[]): Readonly<Record<string, OutcomeClass>> =>
  Object.fromEntries(
    rows.flatMap(([codes, outcome]) =>
      codes
        .split(" ")
        .flatMap(expand)
        .map((code) => [code, outcome] as const),
    ),
  );

const expand = (codes: string): readonly string[] => {
  const [first = "", last] = codes.split("-");
  if (last === undefined) return [first];
  const [from, to] = [Number(first), Number(last)];
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
};
