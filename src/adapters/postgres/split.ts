import { messageOf } from "../../errors/message-of.ts";
import { createHash } from "node:crypto";
import type { Node } from "libpg-query";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Migration } from "../../plan/model.ts";

export type Part = "up" | "verify" | "down";

/** One statement of a file, as PostgreSQL's own grammar cut it out. */
export type Statement = {
  readonly file: string;
  /** 1-based, and how many the file has. */
  readonly number: number;
  readonly of: number;
  /** 1-based line in the file where it begins. */
  readonly line: number;
  readonly text: string;
  /** Without what looks like a password. */
  readonly firstLine: string;
  readonly sha256: string;
  readonly tree: Node;
};

export const fileOf = (migration: Migration, part: Part): string => `${migration.name}.${part}.sql`;

/** `0001_bands.up.sql:7: statement 2 of 3`. `line` where the statement's own is not exact enough. */
export const placeOf = (statement: Statement, line = statement.line): string =>
  `${statement.file}:${line}: statement ${statement.number} of ${statement.of}`;

/**
 * Cuts a file into its statements. Rejects `MIGRATION_FAILED` for a syntax error, and for statements that would break out
 * of the transaction in which the file or its progress is kept.
 */
export const split = async (migration: Migration, part: Part): Promise<readonly Statement[]> => {
  const file = fileOf(migration, part);
  const text = migration[part];
  const pieces = await parse(file, text);
  // The grammar counts bytes.
  const bytes = Buffer.from(text);
  const statements = pieces.map(({ stmt, stmt_location: from = 0, stmt_len: length }, index): Statement => {
    const end = length === undefined || length === 0 ? bytes.length : from + length;
    const own = bytes.toString("utf8", from, end).trimEnd();
    return {
      file,
      number: index + 1,
      of: pieces.length,
      line: bytes.toString("utf8", 0, from).split("\n").length,
      text: own,
      firstLine: firstLineOf(own),
      sha256: createHash("sha256").update(own).digest("hex"),
      tree: stmt,
    };
  });
  for (const statement of statements) refuseStray(statement);
  return statements;
};

type Piece = { readonly stmt: Node; readonly stmt_location?: number; readonly stmt_len?: number };

const parse = async (file: string, text: string): Promise<readonly Piece[]> => {
  if (text.trim() === "") return [];
  const grammar = await import("libpg-query");
  try {
    const { stmts } = await grammar.parse(text);
    return (stmts ?? []).flatMap(({ stmt, ...place }) => (stmt === undefined ? [] : [{ stmt, ...place }]));
  } catch (cause) {
    const at = grammar.hasSqlDetails(cause) ? (cause.sqlDetails?.cursorPosition ?? 0) : 0;
    const line = 1 + lineBreaksBefore(text, at);
    const reason = messageOf(cause);
    throw new UpgradeError("MIGRATION_FAILED", `${file}:${line}: ${reason} (42601). Nothing of this file is applied.`, {
      hint: "correct the SQL",
      cause,
    });
  }
};

/** Line breaks in the first `characters` of a text, counted as PostgreSQL counts: in code points. */
export const lineBreaksBefore = (text: string, characters: number): number =>
  Array.from(text)
    .slice(0, characters)
    .filter((one) => one === "\n").length;

const refuseStray = (statement: Statement): void => {
  if (!("TransactionStmt" in statement.tree)) return;
  const kind = statement.tree.TransactionStmt.kind ?? "";
  if (/SAVEPOINT|ROLLBACK_TO|RELEASE/.test(kind)) return;
  throw new UpgradeError(
    "MIGRATION_FAILED",
    `${statement.file}:${statement.line}: "${statement.firstLine}" would end the transaction that midflight keeps. Nothing of this file is applied.`,
    {
      hint: "take BEGIN, COMMIT and ROLLBACK out of the file",
    },
  );
};

const firstLineOf = (text: string): string => {
  const line = (text.split("\n").find((one) => one.trim() !== "") ?? "").trim();
  const safe = line.replace(/(password\s+)(e?'(?:[^']|'')*'?|\S+)/gi, "$1***");
  return safe.length > 120 ? `${safe.slice(0, 119)}…` : safe;
};
