import { messageOf } from "../../errors/message-of.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { lineBreaksBefore, placeOf } from "./split.ts";
import type { Statement } from "./split.ts";
import type { Target } from "./target.ts";

/** The SQLSTATE of an error of the server, such as `55P03`. */
export const sqlState = (error: unknown): string | undefined => {
  const code = fieldOf(error, "code");
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

export const LOCK_NOT_AVAILABLE = "55P03";

/** Whether the line or the server is gone, so that nobody will answer on this connection any more. */
export const isLost = (error: unknown): boolean => {
  const code = fieldOf(error, "code");
  if (typeof code === "string" && LOST_CODES.test(code)) return true;
  return error instanceof Error && sqlState(error) === undefined && LOST_WORDS.test(error.message);
};
const LOST_CODES = /^(08...|57P0[1-5]|25P03|25P04|53300|E[A-Z]+)$/;
const LOST_WORDS = /terminated|not queryable|timeout|ended|closed/i;

/** One clear sentence, whatever the reason is that the server does not answer as it should. */
export const unreachable = (target: Target, cause: unknown, doing = ""): UpgradeError => {
  if (cause instanceof UpgradeError) return cause;
  const state = sqlState(cause);
  const why = target.redact(reasonOf(cause));
  const message = `the metadata store ${target.place} cannot be used${doing === "" ? "" : ` ${doing}`}: ${why}${state === undefined ? "" : ` (${state})`}`;
  return new UpgradeError("METADATA_UNREACHABLE", message, { hint: hintFor(state), cause });
};

/** The one moment in which nobody can know: the server may have committed, and its answer is lost. */
export const unknownCommit = (target: Target, what: string, cause: unknown): UpgradeError =>
  new UpgradeError(
    "METADATA_UNREACHABLE",
    `the connection to ${target.place} was lost during COMMIT, so it is unknown whether ${what}: ${target.redact(reasonOf(cause))}`,
    {
      hint: "order the same again: it looks at the history first, and does only what is missing",
      cause,
    },
  );

/** What is in place after a failure: nothing of the file, the statements before the failed one, or all of the up file. */
export type Left = "nothing" | "those-before" | "all-of-up";

/** What a statement of a file did wrong. */
export const failed = (target: Target, statement: Statement, cause: unknown, left: Left): UpgradeError => {
  if (cause instanceof UpgradeError) return cause;
  const at = placeOf(statement, lineOf(statement, cause));
  if (isLost(cause)) {
    const known =
      left === "nothing"
        ? "nothing of this file is applied"
        : "what was done before stays, and a repeated call goes on there";
    return unreachable(target, cause, `(the connection was lost at ${at}; ${known})`);
  }
  return new UpgradeError(
    "MIGRATION_FAILED",
    target.redact(
      `${at} failed with ${sqlState(cause) ?? "no SQLSTATE"}: ${reasonOf(cause)}\n  ${statement.firstLine}\n${inPlace(left, statement)}`,
    ),
    {
      hint: hintFor(sqlState(cause)),
      cause,
    },
  );
};

const inPlace = (left: Left, statement: Statement): string => {
  switch (left) {
    case "nothing":
      return "Nothing of this file is applied.";
    case "those-before":
      return `${statement.number - 1} of its statements stay applied.`;
    case "all-of-up":
      return "All statements of the up file stay applied.";
  }
};

/** A server that said no to the COMMIT itself, and so took everything back. */
export const commitRefused = (target: Target, what: string, cause: unknown): UpgradeError =>
  new UpgradeError(
    "MIGRATION_FAILED",
    target.redact(
      `${target.place} refused the COMMIT after which ${what}: ${reasonOf(cause)} (${sqlState(cause) ?? "no SQLSTATE"})`,
    ),
    { hint: hintFor(sqlState(cause)), cause },
  );

/** What a check found that is run after the migrations. */
export const notVerified = (target: Target, statement: Statement, cause: unknown): UpgradeError => {
  const at = placeOf(statement, lineOf(statement, cause));
  if (isLost(cause)) return unreachable(target, cause, `(the connection was lost at ${at})`);
  return new UpgradeError(
    "VERIFY_FAILED",
    target.redact(
      `${at} did not pass on ${target.place}: ${reasonOf(cause)} (${sqlState(cause) ?? "no SQLSTATE"})\n  ${statement.firstLine}`,
    ),
    {
      hint: "look at what the statement asks for: the metadata is not as the migration left it",
      cause,
    },
  );
};

const lineOf = (statement: Statement, cause: unknown): number => {
  const position = Number(fieldOf(cause, "position") ?? 1);
  return statement.line + lineBreaksBefore(statement.text, position - 1);
};

const reasonOf = (cause: unknown): string => {
  // A host with several addresses fails with one error for each, and no message of its own.
  const errors = fieldOf(cause, "errors");
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join("; ");
  const message = messageOf(cause);
  const code = fieldOf(cause, "code");
  return message !== "" ? message : typeof code === "string" ? code : "no reason given";
};

const hintFor = (state: string | undefined): string =>
  HINTS[state ?? ""] ??
  (state === undefined
    ? "check that PostgreSQL runs, its address and the way to it, then try again"
    : "mend what the message names, then try again");

const HINTS: Readonly<Record<string, string>> = {
  "25001":
    "such a statement cannot run in a transaction: put `-- midflight: no-transaction` into the head of the up file",
  "28P01": "correct the password that the environment file takes the address from",
  "28000": "let this user in, in pg_hba.conf",
  "3D000": "correct the name of the database in the address, or create it",
  "42501":
    "grant the user of the address what the message names; midflight also needs a schema `midflight` of its own, or the right to create it",
  "42P06": "something of that name is there already, and not by this migration: remove it, or rename",
  "42P07": "something of that name is there already, and not by this migration: remove it, or rename",
  "53300": "raise max_connections, or close some: midflight needs two",
  "57014":
    "the statement took longer than it may: make it smaller, or work in batches in a file with `-- midflight: no-transaction`",
};

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
