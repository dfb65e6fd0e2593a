/** The grammar counts bytes of UTF-8, errors count characters, and we count UTF-16 units. */
export type Positions = {
  fromBytes(bytes: number): number;
  fromCharacters(characters: number): number;
};

export function positionsIn(text: string): Positions {
  const bytes = Buffer.from(text);
  // Most files are ASCII, where all three are the same.
  const isPlain = bytes.length === text.length;
  return {
    fromBytes: (count) => (isPlain ? count : bytes.toString("utf8", 0, count).length),
    fromCharacters: (count) => (isPlain ? count : Array.from(text).slice(0, count).join("").length),
  };
}

const BLANK = /(?:\s+|--[^\n]*)*/y;

/** Past blanks and comments, which PostgreSQL counts to the statement behind them. Comments nest. */
export function skipBlank(text: string, from: number): number {
  for (let at = from; ; at = endOfComment(text, at)) {
    BLANK.lastIndex = at;
    at += BLANK.exec(text)?.[0].length ?? 0;
    if (!text.startsWith("/*", at)) return Math.min(at, text.length);
  }
}

function endOfComment(text: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(text); found !== null; found = edge.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return found.index + 2;
  }
  return text.length;
}
