/** What stands in a SQL text outside of texts, quoted names, function bodies and comments. */
export type SqlScan = {
  /** Statements: where each begins, and its first words in capitals. */
  readonly statements: readonly { readonly at: number; readonly head: string }[];
  /** Backslashes, which SQL has none of: psql's own commands. */
  readonly backslashes: readonly number[];
};

// In order: comments, an E'' text with its escapes, other texts and quoted names, dollar quotes, then the two characters that matter.
const TOKEN =
  /--[^\n]*|\/\*|\b[eE]'(?:[^'\\]|\\[^]|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|\$(?:[A-Za-z_\u0080-\uFFFF][\w\u0080-\uFFFF]*)?\$|[\\;]|[^\s'"$\\;\-/eE]+|\S/gy;
const BLANK = /\s*/y;

/** Not a parser: it only tells code from what merely contains text. Runs in linear time and never fails. */
export function scanSql(sql: string): SqlScan {
  const statements: { at: number; head: string }[] = [];
  const backslashes: number[] = [];
  let begun = -1;
  let at = 0;
  const close = (end: number) => {
    if (begun >= 0) statements.push({ at: begun, head: headOf(sql.slice(begun, Math.min(end, begun + 200))) });
    begun = -1;
  };
  for (;;) {
    BLANK.lastIndex = at;
    at += BLANK.exec(sql)?.[0].length ?? 0;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(sql)?.[0];
    if (token === undefined) break;
    const start = at;
    at = start + token.length;
    if (token.startsWith("--")) continue;
    if (token === "/*") {
      at = endOfComment(sql, start);
      continue;
    }
    if (token === ";") {
      close(start);
      continue;
    }
    if (token === "\\") backslashes.push(start);
    if (begun < 0) begun = start;
    if (token.startsWith("$") && token.endsWith("$") && token.length > 1) {
      const end = sql.indexOf(token, at);
      at = end === -1 ? sql.length : end + token.length;
    }
  }
  close(sql.length);
  return { statements, backslashes };
}

/** Comments nest in PostgreSQL. */
function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(sql); found !== null; found = edge.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return found.index + 2;
  }
  return sql.length;
}

const headOf = (text: string): string =>
  (/^(\w+\s*){1,8}/.exec(text)?.[0] ?? "").trim().replaceAll(/\s+/g, " ").toUpperCase();
