import { messageOf } from "../../../errors/message-of.ts";
import type * as libpg from "libpg-query";
import type { Node } from "libpg-query";
import type { SqlStatement } from "../../../ports/sql-reader.ts";
import { actsOf } from "./act-of.ts";
import { isRecord, callsIn, literalsIn, relationsIn } from "./tree.ts";

/** The library itself: it is loaded by the first text, and not before. */
export type Grammar = Pick<typeof libpg, "parse" | "parsePlPgSQL">;
export type Span = { readonly at: number; readonly end: number };
/** What a body runs, and why nobody can know the rest. */
export type Body = { readonly inner: readonly SqlStatement[]; readonly opaque?: Opaque };
type Opaque = NonNullable<SqlStatement["opaque"]>;

const NOTHING: Body = { inner: [] };

/** Looks into a DO or into the body of a function. Anything that it cannot read is opaque, never overlooked. */
export async function bodyOf(grammar: Grammar, tree: Node, text: string, span: Span): Promise<Body> {
  const code = codeOf(tree);
  if (code === undefined) return NOTHING;
  const opaque = (why: string): Body => ({ inner: [], opaque: { ...span, why } });
  const language = code.language.toLowerCase();
  if (language === "sql") return sqlBody(grammar, code, span, opaque);
  if (language !== "plpgsql") return opaque(`it is written in ${language}`);
  const whole = text.slice(span.at, span.end);
  const begin = whole.indexOf(code.body);
  const place = lineSpans(begin === -1 ? undefined : span.at + begin, code.body, span);
  try {
    const parsed: unknown = await grammar.parsePlPgSQL(whole);
    return readBlocks(grammar, parsed, place);
  } catch (error) {
    return opaque(messageOf(error));
  }
}

type Code = { readonly language: string; readonly body: string; readonly trees: readonly Node[] };

function codeOf(tree: Node): Code | undefined {
  if ("DoStmt" in tree) return codeIn(tree.DoStmt.args, "plpgsql", []);
  if (!("CreateFunctionStmt" in tree)) return undefined;
  const { options, sql_body } = tree.CreateFunctionStmt;
  // BEGIN ATOMIC is a list of lists of statements, RETURN a single one.
  const trees = sql_body === undefined ? [] : flatten(sql_body);
  return codeIn(options, "sql", trees);
}

const flatten = (node: Node): readonly Node[] =>
  "List" in node ? (node.List.items ?? []).flatMap((one) => flatten(one)) : [node];

function codeIn(options: readonly Node[] | undefined, fallback: string, trees: readonly Node[]): Code {
  const defs = (options ?? []).flatMap((option) => ("DefElem" in option ? [option.DefElem] : []));
  const textOf = (name: string): string | undefined => {
    const arg = defs.find((def) => def.defname === name)?.arg;
    const word = arg !== undefined && "List" in arg ? arg.List.items?.[0] : arg;
    return word !== undefined && "String" in word ? (word.String.sval ?? "") : undefined;
  };
  return { language: textOf("language") ?? fallback, body: textOf("as") ?? "", trees };
}

async function sqlBody(
  grammar: Grammar,
  { body, trees }: Code,
  span: Span,
  opaque: (why: string) => Body,
): Promise<Body> {
  if (trees.length > 0) return { inner: trees.map((tree) => statementOf(tree, span)) };
  try {
    const { stmts } = await grammar.parse(body);
    return { inner: (stmts ?? []).flatMap(({ stmt }) => (stmt === undefined ? [] : [statementOf(stmt, span)])) };
  } catch (error) {
    return opaque(messageOf(error));
  }
}

const statementOf = (tree: Node, span: Span): SqlStatement => ({
  ...span,
  acts: actsOf(tree),
  inner: [],
  calls: callsIn(tree),
  relations: relationsIn(tree),
  literals: literalsIn(tree),
  longNames: [],
});

/** Where the n-th line of a body stands; the first is the one of the opening quotes. */
function lineSpans(from: number | undefined, body: string, whole: Span): (line: number) => Span {
  if (from === undefined) return () => whole;
  const lines = body.split("\n");
  return (line) => {
    const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    const own = lines[line - 1];
    if (own === undefined || own.trim() === "") return whole;
    const at = from + before + (/^\s*/.exec(own)?.[0].length ?? 0);
    return { at, end: at + own.trim().length };
  };
}

/** Every place of a PL/pgSQL tree that runs SQL, in the order of the text. */
async function readBlocks(grammar: Grammar, parsed: unknown, place: (line: number) => Span): Promise<Body> {
  const inner: SqlStatement[] = [];
  let opaque: Opaque | undefined;
  const hide = (span: Span, why: string): void => {
    opaque ??= { ...span, why };
  };
  const readSql = async (sql: string, span: Span): Promise<boolean> => {
    try {
      const { stmts } = await grammar.parse(sql);
      for (const { stmt } of stmts ?? []) if (stmt !== undefined) inner.push(statementOf(stmt, span));
      return true;
    } catch {
      return false;
    }
  };
  const visit = async (node: unknown, line: number): Promise<void> => {
    if (Array.isArray(node)) for (const one of node) await visit(one, line);
    if (!isRecord(node)) return;
    for (const [kind, fields] of Object.entries(node)) {
      const own = isRecord(fields) && typeof fields["lineno"] === "number" ? fields["lineno"] : line;
      const expression = isRecord(fields) ? (fields["query"] ?? fields["sqlstmt"] ?? fields["expr"]) : undefined;
      if (DYNAMIC.test(kind) || dynamicQueryIn(fields) !== undefined) {
        const sql = constantText(queryIn(dynamicQueryIn(fields) ?? expression));
        if (sql === undefined || !(await readSql(sql, place(own))))
          hide(place(own), "the SQL that it executes is put together at run time");
      } else if (kind === "PLpgSQL_stmt_commit" || kind === "PLpgSQL_stmt_rollback")
        inner.push({ ...place(own), ...ENDS_TRANSACTION });
      else if (kind === "PLpgSQL_expr" && isRecord(fields) && typeof fields["query"] === "string") {
        const { query, parseMode } = fields;
        // Mode 0 is a whole statement. Others are expressions, of which only the calls can do anything.
        if (
          !(await readSql(parseMode === undefined || parseMode === 0 ? query : asSelect(query, parseMode), place(own)))
        )
          hide(place(own), "a part of it could not be read");
        continue;
      }
      if (!DYNAMIC.test(kind)) await visit(fields, own);
    }
  };
  await visit(parsed, 1);
  return { inner: inner.filter(isTelling), ...(opaque === undefined ? {} : { opaque }) };
}

const DYNAMIC = /^PLpgSQL_stmt_dyn(execute|fors)$/;
const ENDS_TRANSACTION: Omit<SqlStatement, "at" | "end" | "opaque"> = {
  acts: [{ kind: "transaction", verb: "commit", isSavepoint: false }],
  inner: [],
  calls: [],
  relations: [],
  literals: [],
  longNames: [],
};

/** RETURN QUERY EXECUTE and OPEN … FOR EXECUTE keep it under a name of its own. */
const dynamicQueryIn = (fields: unknown): unknown => (isRecord(fields) ? (fields["dynquery"] ?? undefined) : undefined);

const queryIn = (expression: unknown): string =>
  isRecord(expression) && isRecord(expression["PLpgSQL_expr"]) ? String(expression["PLpgSQL_expr"]["query"]) : "";

/** The text of `'…'`, where the expression is nothing else. */
function constantText(expression: string): string | undefined {
  const match = /^\s*'((?:[^']|'')*)'\s*$/.exec(expression);
  if (match !== null) return match[1]?.replaceAll("''", "'");
  return /^\s*(\$(?:[A-Za-z_]\w*)?\$)([^]*)\1\s*$/.exec(expression)?.[2];
}

/** An assignment is `target := value`; the target does nothing. */
const asSelect = (query: string, mode: unknown): string =>
  `select ${mode === 2 ? query : query.replace(/^[^:=]*:?=(?!=)/, "")}`;

/** A mere expression says nothing. */
const isTelling = (statement: SqlStatement): boolean =>
  statement.calls.length > 0 || statement.literals.length > 0 || statement.acts.some((act) => act.kind !== "other");
