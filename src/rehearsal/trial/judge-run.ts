import type { RunFailure, TracedRun, TracedStatement, Trait } from "../../ports/trials.ts";
import { RULES } from "./rules.ts";
import type { Severity, TrialFinding, TrialRule } from "./result.ts";

/** What speaks against a file by how it ran. `own`: tables that nobody but the migration itself has known; their locks hold up nobody. */
export function judgeRun(
  migration: string,
  ran: TracedRun,
  isTransactional: boolean,
  own: ReadonlySet<string> = new Set(),
): readonly TrialFinding[] {
  const run = withoutOwn(ran, own);
  const found = (
    at: Place,
    rule: TrialRule,
    message: string,
    severity: Severity = RULES[rule].severity,
  ): TrialFinding => ({
    rule,
    severity,
    migration,
    file: at.file,
    line: at.line,
    statement: at.number,
    message,
    hint: RULES[rule].hint,
  });
  return [
    ...run.statements.flatMap((statement) =>
      rewrites(statement).map(([rule, message]) => found(statement, rule, message)),
    ),
    ...(isTransactional ? afterExclusive(run.statements, found) : []),
    ...run.statements.flatMap((one) => waits(one).map((message) => found(one, "lock-timeout-not-in-effect", message))),
    ...run.statements.flatMap((one) => triggers(one).map((message) => found(one, "trigger-on-hot-table", message))),
    ...run.invalidIndexes.map((index) =>
      found(
        { file: run.file, line: 0, number: 0 },
        "concurrent-index-not-checked",
        `the index ${index} is left invalid: it costs every write and serves no read`,
      ),
    ),
    ...(run.failure === undefined ? [] : [failed(run.failure, found)]),
  ];
}

const withoutOwn = (run: TracedRun, own: ReadonlySet<string>): TracedRun => ({
  ...run,
  statements: run.statements.map((one) => ({
    ...one,
    locks: one.locks.filter(({ table }) => !own.has(table)),
    rewritten: one.rewritten.filter((table) => !own.has(table)),
  })),
});

type Place = { readonly file: string; readonly line: number; readonly number: number };
type Found = (at: Place, rule: TrialRule, message: string, severity?: Severity) => TrialFinding;

const rewrites = (statement: TracedStatement): readonly (readonly [TrialRule, string])[] =>
  statement.rewritten.map((table) => [
    rewriteRule(statement.traits),
    `${table} was written anew, with its indexes, in ${statement.ms} ms; nobody could read or write it meanwhile`,
  ]);

const rewriteRule = (traits: readonly Trait[]): TrialRule => {
  const found = REWRITES.find(([trait]) => traits.includes(trait));
  return found === undefined ? "table-rewritten" : found[1];
};
const REWRITES: readonly (readonly [Trait, TrialRule])[] = [
  ["change-type", "type-change-rewrite"],
  ["add-column-generated", "stored-generated-or-serial"],
  ["add-column-default", "volatile-default-rewrite"],
  ["truncate", "truncate-or-drop-container"],
  ["maintenance", "table-wide-maintenance"],
];

const EXCLUSIVE = "AccessExclusiveLock";
/** Longer than this behind a lock that keeps everybody out, and users feel it, in ms. */
const FELT_MS = 100;

// The lock stays until the transaction ends, so everybody waits for whatever comes behind it.
function afterExclusive(statements: readonly TracedStatement[], found: Found): readonly TrialFinding[] {
  const first = statements.findIndex(({ locks }) => locks.some(({ mode }) => mode === EXCLUSIVE));
  const [holder, behind] = [statements[first], statements.slice(first + 1)];
  if (holder === undefined || behind.length === 0) return [];
  const table = holder.locks.find(({ mode }) => mode === EXCLUSIVE)?.table ?? "";
  const rows = behind.reduce((sum, { rowsTouched }) => sum + rowsTouched, 0);
  const ms = Math.round(behind.reduce((sum, one) => sum + one.ms, 0));
  const isFelt = rows > 0 || ms >= FELT_MS;
  return [
    found(
      holder,
      "ddl-after-exclusive-lock",
      `it keeps everybody from ${table} until the file ends, and ${behind.length === 1 ? "one statement comes" : `${behind.length} statements come`} behind it: ${rows} rows, ${ms} ms on the clone`,
      isFelt ? "block" : "warn",
    ),
  ];
}

const TOO_LONG_MS = 1_000;

const waits = ({ locks, lockTimeoutMs, seen }: TracedStatement): readonly string[] => {
  const lock = locks.find(({ mode }) => mode === EXCLUSIVE || mode === "ShareRowExclusiveLock" || mode === "ShareLock");
  if (seen === "outside" || lock === undefined || (lockTimeoutMs > 0 && lockTimeoutMs <= TOO_LONG_MS)) return [];
  const limit = lockTimeoutMs === 0 ? "without end" : `for ${lockTimeoutMs} ms`;
  return [`it waits for its lock on ${lock.table} ${limit}, and users queue behind it`];
};

const triggers = ({ traits, locks }: TracedStatement): readonly string[] => {
  const table = locks[0]?.table;
  return traits.includes("trigger") && table !== undefined
    ? [`from now on it has a say in every write to ${table}`]
    : [];
};

const failed = (failure: RunFailure, found: Found): TrialFinding =>
  found(
    { file: failure.file, line: failure.line, number: failure.number },
    failureRule(failure),
    `it failed on a clone with ${failure.state}: ${failure.message}`,
  );

const failureRule = ({ in: where, state, traits }: RunFailure): TrialRule => {
  if (where === "verify") return "verify-fails";
  if (state === "23502" && traits.includes("add-column-required")) return "required-column";
  return FAILURES[state] ?? "statement-fails";
};
const FAILURES: Readonly<Record<string, TrialRule>> = {
  "23502": "data-dependent",
  "23503": "data-dependent",
  "23505": "data-dependent",
  "23514": "data-dependent",
  "23P01": "data-dependent",
  "22001": "data-dependent",
  "22003": "data-dependent",
  "22P02": "data-dependent",
  "25001": "concurrent-in-transaction",
  "55P04": "enum-add-then-use",
};
