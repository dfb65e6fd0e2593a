import { jsonPathOf, type JsonPath } from "../plan/json-path.ts";
import type { ClassRules, CodesByClass, Transport } from "../plan/model.ts";
import { OUTCOME_CLASSES, type OutcomeClass } from "../plan/outcome-class.ts";
import { isInRange, parseRuleCodes } from "../plan/rule-codes.ts";

export type { Transport } from "../plan/model.ts";
export type { OutcomeClass } from "../plan/outcome-class.ts";

/** Codes by themselves, and ranges of numbers. A code that stands by itself wins. */
export type CodeTable = {
  readonly single: Readonly<Record<string, OutcomeClass>>;
  readonly ranges: readonly { readonly from: string; readonly to: string; readonly outcome: OutcomeClass }[];
};

/** Rules of one API, as data that a thread can be given. */
export type Rules = {
  /** By which they are told of. */
  readonly name: string;
  /** Where the code stands in a JSON answer: the first of these that holds one. */
  readonly code: readonly JsonPath[];
  /** Code of the row, or of the envelope where there is no row. */
  readonly codes: CodeTable;
  /** HTTP status of an answer that carries no code. */
  readonly status: CodeTable;
  readonly transport: Readonly<Record<Transport, OutcomeClass>>;
  /** Codes that begin with this and stand in no list are failures of the service. `length`: only those with as many characters. */
  readonly failing?: { readonly prefix: string; readonly length?: number };
  /** Our own resting order is not known any more: the venue lost state. */
  readonly lostState: readonly string[];
  /** Whether a page that is no JSON may be `ok` by its status. */
  readonly answers: "json" | "any";
};

/** `"50101-50114"` is a range of codes. */
export type RuleRow = readonly [codes: string, outcome: OutcomeClass];

/** Turns rows as a person writes them into a lookup. A later row must not contradict an earlier one; that is a bug of the table. */
export const tableOf = (rows: readonly RuleRow[]): CodeTable => {
  const items = rows.flatMap(([codes, outcome]) =>
    codes.split(" ").map((text) => ({ codes: parseRuleCodes(text), outcome })),
  );
  return {
    single: Object.fromEntries(
      items.flatMap(({ codes, outcome }) => (codes.kind === "code" ? [[codes.code, outcome] as const] : [])),
    ),
    ranges: items.flatMap(({ codes, outcome }) =>
      codes.kind === "range" ? [{ from: codes.from, to: codes.to, outcome }] : [],
    ),
  };
};

/** Class of a code; undefined where no rule names it. */
export const classIn = ({ single, ranges }: CodeTable, code: string): OutcomeClass | undefined =>
  Object.hasOwn(single, code) ? single[code] : ranges.find((range) => isInRange(code, range))?.outcome;

/** Rules as an environment writes them, on top of others: what they name themselves wins. */
export const rulesOn = (base: Rules, name: string, written: ClassRules): Rules => {
  const isExtending = written.extends !== undefined;
  const { failing, ...rest } = base;
  return {
    ...rest,
    ...(written.failingPrefix !== undefined
      ? { failing: { prefix: written.failingPrefix } }
      : failing !== undefined && isExtending
        ? { failing }
        : {}),
    name,
    code: written.code?.map((path) => jsonPathOf(path)) ?? (isExtending ? base.code : []),
    codes: over(rowsOf(written.codes), isExtending ? base.codes : NOTHING),
    status: over(rowsOf(written.status), base.status),
    transport: { ...base.transport, ...written.transport },
    lostState: written.lostState ?? (isExtending ? base.lostState : []),
    answers: written.answers,
  };
};

const NOTHING: CodeTable = { single: {}, ranges: [] };

const rowsOf = (classes: CodesByClass): CodeTable =>
  tableOf(OUTCOME_CLASSES.flatMap((outcome) => (classes[outcome] ?? []).map((codes) => [codes, outcome] as const)));

/** A range of the user's also wins over a code of the base that it holds. */
const over = (own: CodeTable, base: CodeTable): CodeTable => ({
  single: {
    ...Object.fromEntries(
      Object.entries(base.single).filter(([code]) => !own.ranges.some((range) => isInRange(code, range))),
    ),
    ...own.single,
  },
  ranges: [...own.ranges, ...base.ranges],
});
