import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  YAMLParseError,
  type Alias,
  type Document,
  type Node,
  type Pair,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { Problem } from "../../errors/problem.ts";
import { lineStartsOf, problemInText, type Place, type Source } from "./source.ts";
import { syntaxProblems, TAG } from "./syntax.ts";

export type ReadYaml =
  | { readonly kind: "read"; readonly value: unknown; readonly source: Source }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** Values that aliases may add, all together. Nobody writes more; a bomb does. */
const MOST_ALIASED = 10_000;
/** Deeper than any of our files by far, and safe for every stage that recurses. */
const MOST_DEPTH = 60;

/** YAML 1.2 or JSON → plain data, and the place of every value. Never throws: whatever the text is, it is data or problems. */
export function readYaml(text: string, file: string): ReadYaml {
  const source = { file, text, lineStarts: lineStartsOf(text) };
  const document = parse(source);
  if ("problems" in document) return { kind: "refused", problems: document.problems };
  const walk = new Walk(source);
  const { value, place } = walk.root(document);
  return walk.problems.length > 0
    ? { kind: "refused", problems: walk.problems }
    : { kind: "read", value, source: { ...source, root: place } };
}

type Text = Omit<Source, "root">;

function parse(source: Text): Document.Parsed | { readonly problems: readonly Problem[] } {
  let document: Document.Parsed;
  try {
    // Its own search for duplicate keys is quadratic, and its errors hold no more than ours.
    document = parseDocument(source.text, {
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: "error",
      version: "1.2",
    });
  } catch (cause) {
    const message = cause instanceof RangeError ? "Maximum depth" : String(cause);
    return {
      problems: syntaxProblems(
        source,
        [new YAMLParseError([0, 1], cause instanceof RangeError ? "RESOURCE_EXHAUSTION" : "IMPOSSIBLE", message)],
        [],
      ),
    };
  }
  const errors = [...document.errors, ...document.warnings].toSorted((a, b) => a.pos[0] - b.pos[0]);
  return errors.length > 0 ? { problems: syntaxProblems(source, errors, unclosedIn(document, source.text)) } : document;
}

/** Where brackets open that are never closed: the reader looks there, and not where the parser gave up. */
function unclosedIn(document: Document.Parsed, text: string): readonly number[] {
  const found: number[] = [];
  try {
    visit(document, {
      Collection: (_, node) => {
        const [start, end] = node.range ?? [0, 0];
        if (node.flow === true && text[end - 1] !== (text[start] === "[" ? "]" : "}")) found.push(start);
      },
    });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  return found;
}

/** A value with its place and with how many values it holds once aliases are followed. */
type Found = { readonly value: unknown; readonly place: Place; readonly size: number };
type At = {
  readonly depth: number;
  readonly key?: { readonly start: number; readonly end: number };
  readonly fallback: number;
};

/** Goes through the document once, in order, which is what decides what an alias means. */
class Walk {
  readonly problems: Problem[] = [];
  private readonly source: Text;
  private readonly anchors = new Map<string, Found>();
  private readonly open = new Set<string>();
  private aliased = 0;

  constructor(source: Text) {
    this.source = source;
  }

  root(document: Document.Parsed): Found {
    return this.node(document.contents, { depth: 0, fallback: 0 });
  }

  private node(node: ParsedNode | Node | null | undefined, at: At): Found {
    if (node === null || node === undefined) return this.leaf(undefinedRange(at), at, null);
    if (at.depth > MOST_DEPTH)
      return this.refuse(node, at, "the file is nested too deeply", "check that this is the file you mean");
    if (isAlias(node)) return this.alias(node, at);
    if ("tag" in node && node.tag !== undefined) this.refuse(node, at, TAG.message, TAG.hint);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.open.add(anchor);
    const found = this.content(node, at);
    if (anchor !== undefined) {
      this.open.delete(anchor);
      this.anchors.set(anchor, found);
    }
    return found;
  }

  private content(node: Node, at: At): Found {
    if (isMap(node)) return this.map(node, at);
    if (isSeq(node)) return this.list(node, at);
    const scalar = node as Scalar;
    return this.leaf(rangeOf(scalar, at), at, scalar.value);
  }

  private leaf(range: Range, at: At, value: unknown): Found {
    // An empty value has no text of its own: its key stands for it.
    const place = range.end > range.start || at.key === undefined ? range : at.key;
    return {
      value,
      size: 1,
      place: { start: place.start, end: place.end, ...(at.key === undefined ? {} : { key: at.key }) },
    };
  }

  private list(node: YAMLSeq, at: At): Found {
    const children = new Map<number, Place>();
    const value: unknown[] = [];
    let size = 1;
    for (const [index, item] of node.items.entries()) {
      const found = this.node(item as Node | null, { depth: at.depth + 1, fallback: rangeOf(node, at).start });
      children.set(index, found.place);
      value.push(found.value);
      size += found.size;
    }
    return { value, size, place: placeOf(rangeOf(node, at), at, children) };
  }

  private map(node: YAMLMap, at: At): Found {
    const children = new Map<string, Place>();
    const value: Record<string, unknown> = {};
    let size = 1;
    for (const pair of node.items as readonly Pair<Node, Node | null>[]) {
      const key = this.key(pair.key, rangeOf(node, at).start);
      if (key === undefined) continue;
      const found = this.node(pair.value, { depth: at.depth + 1, key: key.range, fallback: key.range.end });
      size += found.size;
      if (children.has(key.name)) {
        this.complain(key.range, {
          code: "KEY_DUPLICATE",
          message: `"${key.name}" stands here a second time`,
          hint: "keep one of the two",
        });
        continue;
      }
      children.set(key.name, found.place);
      value[key.name] = found.value;
    }
    return { value, size, place: placeOf(rangeOf(node, at), at, children) };
  }

  private key(node: Node | null, fallback: number): { readonly name: string; readonly range: Range } | undefined {
    const range = node === null ? { start: fallback, end: fallback + 1 } : rangeOf(node, { fallback });
    if (!isScalar(node)) {
      this.complain(range, {
        code: "YAML_REFUSED",
        message: "a key must be a plain word",
        hint: "write a word before the colon; put a text that begins with [, { or * in quotes",
      });
      return undefined;
    }
    const name = typeof node.value === "string" ? node.value : this.source.text.slice(range.start, range.end);
    if (name === "<<")
      return this.badKey(
        range,
        "merge keys (<<) are not used here",
        "write the keys out: a reader of the plan must see what it says",
      );
    if (name === "__proto__") return this.badKey(range, `"__proto__" is no key`, "delete it");
    return { name, range };
  }

  private badKey(range: Range, message: string, hint: string): undefined {
    this.complain(range, { code: "YAML_REFUSED", message, hint });
  }

  private alias(node: Alias, at: At): Found {
    const found = this.anchors.get(node.source);
    if (this.open.has(node.source))
      return this.refuse(
        node,
        at,
        `*${node.source} stands inside &${node.source} itself`,
        "an alias must come after what it repeats",
      );
    if (found === undefined)
      return this.refuse(
        node,
        at,
        `nothing is named &${node.source} before this alias`,
        'put a text that begins with "*" in quotes, or name the value that it repeats',
      );
    this.aliased += found.size;
    if (this.aliased > MOST_ALIASED) return this.tooMany(node, at);
    const { children } = found.place;
    const range = rangeOf(node, at);
    return { value: found.value, size: found.size, place: placeOf(range, at, children) };
  }

  private tooMany(node: Alias, at: At): Found {
    // One complaint is enough: the rest of a bomb says the same.
    if (this.aliased - (this.anchors.get(node.source)?.size ?? 0) > MOST_ALIASED)
      return this.leaf(rangeOf(node, at), at, null);
    return this.refuse(node, at, `aliases repeat more than ${MOST_ALIASED} values`, "write out what is needed");
  }

  private refuse(node: Node, at: At, message: string, hint: string): Found {
    const range = rangeOf(node, at);
    this.complain(range, { code: "YAML_REFUSED", message, hint });
    return this.leaf(range, at, null);
  }

  private complain(
    range: Range,
    what: { readonly code: string; readonly message: string; readonly hint: string },
  ): void {
    this.problems.push(problemInText(this.source, range.start, range.end, what));
  }
}

type Range = { readonly start: number; readonly end: number };

const undefinedRange = (at: At): Range => ({ start: at.fallback, end: at.fallback });

const rangeOf = (node: Node, { fallback }: Pick<At, "fallback">): Range => {
  const range = node.range ?? [fallback, fallback];
  return { start: range[0], end: range[1] };
};

const placeOf = (range: Range, at: At, children: ReadonlyMap<string | number, Place> | undefined): Place => ({
  ...range,
  ...(at.key === undefined ? {} : { key: at.key }),
  ...(children === undefined ? {} : { children }),
});
