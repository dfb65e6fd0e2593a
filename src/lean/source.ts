import { isAlias, isMap, isNode, isPair, isScalar, LineCounter, parseAllDocuments, visit, type Document, type Node } from "yaml";
import type { Problem } from "../errors/problem.ts";

export type Path = readonly (string | number)[];

/** A file that was read as YAML: its values, and where each of them stands. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly value: unknown;
  private readonly document: Document;
  private readonly lines: LineCounter;
  private readonly rows: readonly string[];

  constructor(file: string, text: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.text = text;
    this.document = document;
    this.lines = lines;
    this.rows = text.split(/\r?\n/);
    this.value = document.toJS({ maxAliasCount: MAX_ALIASES });
  }

  /** A problem at the value of a path, or at the nearest thing around it that exists. `key` points at that key of the map instead. */
  problem(code: string, path: Path, message: string, how: { readonly hint?: string | undefined; readonly key?: string; readonly offset?: number } = {}): Problem {
    const [start, end] = this.rangeOf(path, how.key);
    return this.at(code, start + (how.offset ?? 0), Math.max(1, end - start - (how.offset ?? 0)), message, how.hint, pathText(how.key === undefined ? path : [...path, how.key]));
  }

  private at(code: string, offset: number, length: number, message: string, hint: string | undefined, path: string): Problem {
    const { line, col } = this.lines.linePos(Math.min(offset, Math.max(0, this.text.length - 1)));
    const source = this.rows[Math.max(1, line) - 1] ?? "";
    const column = Math.max(1, col);
    return {
      code,
      message,
      file: this.file,
      line: Math.max(1, line),
      column,
      source,
      length: Math.max(1, Math.min(length, source.length - column + 1)),
      ...(path === "" ? {} : { path }),
      ...(hint === undefined ? {} : { hint }),
    };
  }

  private rangeOf(path: Path, key: string | undefined): readonly [number, number] {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? this.document.contents : this.document.getIn(path.slice(0, length), true);
      if (!isNode(node)) continue;
      const found = length === path.length && key !== undefined ? keyNode(node, key) : length < path.length ? keyNode(node, path[length]) : node;
      const range = (found ?? node).range;
      if (range !== null && range !== undefined) return [range[0], range[1]];
    }
    return [0, 1];
  }
}

const keyNode = (node: Node, key: string | number | undefined): Node | undefined => {
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
  return isNode(pair?.key) ? pair.key : undefined;
};

const pathText = (path: Path): string => path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");

const MAX_ALIASES = 50;
export const MAX_BYTES = 1_048_576;

export type ReadResult = { readonly source: Source; readonly problems: readonly [] } | { readonly source: undefined; readonly problems: readonly Problem[] };

/** Bytes → located YAML. Everything that is wrong with the text itself, at once. */
export function readSource(bytes: Uint8Array, file: string): ReadResult {
  const place = { file, line: 0, column: 0 };
  const fail = (code: string, message: string, hint: string): ReadResult => ({ source: undefined, problems: [{ ...place, code, message, hint }] });
  if (bytes.length > MAX_BYTES) return fail("too-large", `the file has ${bytes.length} bytes; at most ${MAX_BYTES} are read`, "split it, or check that it is the right file");
  const text = decode(bytes);
  if (text === undefined) return fail("not-text", "the file is no UTF-8 text", "save it as UTF-8");
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: false, strict: true, stringKeys: true });
  const [document, second] = documents as readonly (Document | undefined)[];
  if (document === undefined || document.contents === null) return fail("empty", "the file is empty", "write a plan, an environment or releases into it");
  const rows = text.split(/\r?\n/);
  const at = (offset: number) => {
    const { line, col } = lines.linePos(Math.min(offset, Math.max(0, text.length - 1)));
    return { file, line: Math.max(1, line), column: Math.max(1, col), source: rows[Math.max(1, line) - 1] ?? "", length: 1 };
  };
  const problems: Problem[] = document.errors.map((error) => ({ ...at(error.pos[0]), code: error.code.toLowerCase().replaceAll("_", "-"), message: sentence(error.code, error.message), ...hintFor(error.code) }));
  if (second !== undefined) problems.push({ ...at(second.range?.[0] ?? 0), code: "several-documents", message: "the file holds more than one document", hint: "keep one; take the `---` line and what follows away" });
  problems.push(...strangers(document, at));
  if (problems.length > 0) return { source: undefined, problems };
  try {
    return { source: new Source(file, text, document, lines), problems: [] };
  } catch (error) {
    return { source: undefined, problems: [{ ...at(0), code: "alias-bomb", message: error instanceof Error ? error.message : String(error), hint: "write values out instead of repeating them by alias" }] };
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** What YAML allows and a reviewed file should not hold: aliases that name nothing, merge keys, tags. */
function strangers(document: Document, at: (offset: number) => Pick<Problem, "file" | "line" | "column" | "source" | "length">): readonly Problem[] {
  const anchors = new Set<string>();
  const problems: Problem[] = [];
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) problems.push({ ...at(node.range?.[0] ?? 0), code: "unknown-alias", message: `the alias *${node.source} names no anchor before it`, hint: "write the value out" });
      } else if (node.anchor !== undefined) anchors.add(node.anchor);
    },
    Pair: (_key, pair) => {
      if (isPair(pair) && isScalar(pair.key) && pair.key.value === "<<") problems.push({ ...at(pair.key.range?.[0] ?? 0), code: "merge-key", message: "merge keys (<<) are not read", hint: "write the keys out; a plan is reviewed as it stands" });
    },
  });
  return problems;
}

const SENTENCES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "this key stands twice in one map",
  TAB_AS_INDENT: "a tab is no indentation",
  BAD_INDENT: "the indentation does not fit what stands above it",
  MISSING_CHAR: "something is missing here",
  BLOCK_AS_IMPLICIT_KEY: "a colon is missing, or one too many stands in this line",
  MULTILINE_IMPLICIT_KEY: "a key goes over several lines; a colon or a quote is missing",
  UNEXPECTED_TOKEN: "this does not belong here",
  BAD_ALIAS: "this alias cannot be read",
  TAG_RESOLVE_FAILED: "tags are not read",
  NON_STRING_KEY: "keys must be plain texts",
};

const sentence = (code: string, message: string): string => SENTENCES[code] === undefined ? message.split("\n")[0] ?? message : `${SENTENCES[code]} (${(message.split("\n")[0] ?? "").trim()})`;
const hintFor = (code: string): { readonly hint?: string } => (code === "TAB_AS_INDENT" ? { hint: "indent with blanks" } : {});

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
