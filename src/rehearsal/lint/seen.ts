import type { Act, Change, Column, Constraint, SqlName, SqlStatement } from "../../ports/sql-reader.ts";
import type { Found, LintFile } from "./finding.ts";
import type { Known } from "./known.ts";

/** A statement as the rules see it, and everything that stands around it. */
export type Seen = {
  readonly statement: SqlStatement;
  /** 1-based, in its file. */
  readonly number: number;
  readonly file: LintFile;
  /** As it is when the statement begins. */
  readonly known: Known;
  /** It stands in a DO, or in a function that is called, and so in a transaction. */
  readonly isInner: boolean;
};
export type Rule = (act: Act, seen: Seen) => readonly Found[];

/** Whether all statements of the file are one transaction. */
export const isOneTransaction = (seen: Seen): boolean => seen.file.migration.transactional;

/** The statements of the file behind this one. */
export const restOf = ({ file, number }: Seen): readonly SqlStatement[] => file.statements.slice(number);

/** In an up file of phase expand, and in a verify file, the old release still runs. */
export const servesOldRelease = (seen: Seen): boolean =>
  seen.file.part !== "down" && seen.file.migration.phase === "expand";

/** A rule over the changes of ALTER TABLE on a table in use. */
export const onChange =
  (judge: (change: Change, table: SqlName, seen: Seen) => readonly Found[]): Rule =>
  (act, seen) =>
    act.kind === "alter-table" && seen.known.isInUse(act.table)
      ? act.changes.flatMap((change) => judge(change, act.table, seen))
      : [];

/** A rule over columns that are added to a table in use. */
export const onNewColumn = (judge: (column: Column, table: SqlName, seen: Seen) => readonly Found[]): Rule =>
  onChange((change, table, seen) => (change.kind === "add-column" ? judge(change.column, table, seen) : []));

/** A rule over constraints that are added to a table in use, alone or with a column. */
export const onNewConstraint = (
  judge: (constraint: Constraint, table: SqlName, seen: Seen) => readonly Found[],
): Rule =>
  onChange((change, table, seen) => {
    if (change.kind === "add-constraint") return judge(change.constraint, table, seen);
    return change.kind === "add-column" ? change.column.constraints.flatMap((one) => judge(one, table, seen)) : [];
  });

/** `constraint c`, or what it is where nobody named it. */
export const called = (constraint: Constraint): string =>
  constraint.name === undefined ? `the ${constraint.kind} constraint` : `constraint ${constraint.name}`;
