import type { Act, SqlStatement } from "../../../ports/sql-reader.ts";
import type { Found } from "../finding.ts";
import { isOneTransaction, type Rule } from "../seen.ts";

export const opaqueSql: Rule = (act, { statement, known, isInner }) => {
  if (act !== statement.acts[0]) return [];
  if (statement.opaque !== undefined) {
    const { at, end, why } = statement.opaque;
    return [opaque(`what this does cannot be read: ${why}`, at, end)];
  }
  if (act.kind !== "call" || isInner || known.functionOf(act.name) !== undefined) return [];
  return [opaque(`what ${act.name} does is not in these files`, statement.at, statement.end)];
};

const opaque = (message: string, at: number, end: number): Found => ({
  rule: "opaque-sql",
  message,
  instead: "write the statements out; where that cannot be, rehearse it and allow this with the reason",
  at,
  end,
});

export const strayTransaction: Rule = (act, seen) => {
  if (act.kind !== "transaction" || act.isSavepoint) return [];
  // A procedure may end transactions where the runner keeps none.
  if (seen.isInner && !isOneTransaction(seen)) return [];
  return [
    {
      rule: "stray-transaction",
      message: `${act.verb.toUpperCase()} would break out of the transaction in which midflight keeps the change and its history`,
      instead: seen.isInner ? "begin the file with -- midflight: no-transaction" : "delete it",
    },
  ];
};

/** The runner resumes behind the last statement that is done, and looks for indexes; these it can neither undo nor find. */
export const notRerunnable: Rule = (act, seen) => {
  if (isOneTransaction(seen) || seen.isInner) return [];
  const what = unknowable(act, seen.statement);
  if (what !== undefined)
    return [
      {
        rule: "not-rerunnable",
        message: `when midflight dies during ${what}, nothing tells whether it took effect`,
        instead: "make it bear being run twice, and its down file bear a half-done change",
      },
    ];
  if (seen.file.part !== "down" || !isMissing(act)) return [];
  return [
    {
      rule: "not-rerunnable",
      message: "the way up may have stopped before this was made, and then the way back fails here",
      instead: "write IF EXISTS",
    },
  ];
};

function unknowable(act: Act, statement: SqlStatement): string | undefined {
  if (act.kind === "alone") return act.what;
  if (act.kind === "call") return `CALL ${act.name}`;
  const commits = statement.inner.some(({ acts }) =>
    acts.some((one) => one.kind === "transaction" || one.kind === "call"),
  );
  return act.kind === "do" && commits ? "a DO that ends transactions by itself" : undefined;
}

/** A dropped index is looked for by the runner. */
const isMissing = (act: Act): boolean =>
  (act.kind === "drop" && !act.ifExists && !act.isConcurrent) ||
  (act.kind === "alter-table" &&
    act.changes.some(
      (change) => (change.kind === "drop-column" || change.kind === "drop-constraint") && !change.ifExists,
    ));
