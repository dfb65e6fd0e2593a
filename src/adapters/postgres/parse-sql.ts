import { messageOf } from "../../errors/message-of.ts";
import type * as Grammar from "libpg-query";
import type { Node } from "libpg-query";
import type { SqlReader, SqlStatement, SqlText } from "../../ports/sql-reader.ts";
import { actsOf } from "./acts/act-of.ts";
import { bodyOf } from "./acts/body.ts";
import { positionsIn, skipBlank, type Positions } from "./acts/positions.ts";
import { callsIn, literalsIn, relationsIn } from "./acts/tree.ts";

/** PostgreSQL's own grammar, loaded with the first text. */
export const pgSqlReader = (): SqlReader => ({
  async read(text, signal) {
    signal.throwIfAborted();
    if (text.trim() === "") return { kind: "parsed", statements: [] };
    const grammar = await import("libpg-query");
    const positions = positionsIn(text);
    try {
      const { stmts } = await grammar.parse(text);
      const statements: SqlStatement[] = [];
      for (const { stmt, stmt_location: from = 0, stmt_len: length } of stmts ?? []) {
        signal.throwIfAborted();
        if (stmt === undefined) continue;
        const end = length === undefined || length === 0 ? text.length : positions.fromBytes(from + length);
        const at = skipBlank(text, positions.fromBytes(from));
        statements.push(await statementOf(grammar, stmt, text, { at, end: at + text.slice(at, end).trimEnd().length }));
      }
      return { kind: "parsed", statements };
    } catch (error) {
      signal.throwIfAborted();
      return refusal(grammar, error, positions);
    }
  },
});

const statementOf = async (
  grammar: typeof Grammar,
  tree: Node,
  text: string,
  span: { readonly at: number; readonly end: number },
): Promise<SqlStatement> => {
  const isBody = "DoStmt" in tree || "CreateFunctionStmt" in tree;
  return {
    ...span,
    acts: actsOf(tree),
    ...(isBody ? await bodyOf(grammar, tree, text, span) : { inner: [] }),
    calls: callsIn(tree),
    relations: relationsIn(tree),
    literals: literalsIn(tree),
    longNames: await longNamesIn(grammar, text.slice(span.at, span.end), span.at),
  };
};

function refusal(grammar: typeof Grammar, error: unknown, positions: Positions): SqlText {
  if (!grammar.hasSqlDetails(error)) return { kind: "refused", at: 0, message: unreadable(error) };
  const at = error.sqlDetails?.cursorPosition ?? 0;
  const message = `PostgreSQL's grammar refuses this: ${error.message}`;
  return { kind: "refused", at: positions.fromCharacters(at), message };
}

const unreadable = (error: unknown): string =>
  error instanceof RangeError ? "this nests deeper than can be read" : `this cannot be read: ${messageOf(error)}`;

const MOST_BYTES = 63;

/** The tree has them cut already, so they are looked for among the words. Texts in quotes are no names. */
async function longNamesIn(grammar: typeof Grammar, text: string, offset: number): Promise<SqlStatement["longNames"]> {
  if (!/[^\s'(),;.]{32,}|"[^"]{32,}"/.test(text)) return [];
  const { tokens } = await grammar.scan(text);
  const positions = positionsIn(text);
  return tokens.flatMap((token) => {
    if (token.tokenName !== "IDENT") return [];
    const name = token.text.replace(/^"([^]*)"$/, "$1").replaceAll('""', '"');
    if (Buffer.byteLength(name) <= MOST_BYTES) return [];
    return [{ at: offset + positions.fromBytes(token.start), end: offset + positions.fromBytes(token.end), name }];
  });
}
