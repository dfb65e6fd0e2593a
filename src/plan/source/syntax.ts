import type { YAMLError } from "yaml";
import type { Problem } from "../../errors/problem.ts";
import { lineOf, problemInText, type Source } from "./source.ts";

type Text = Pick<Source, "file" | "text" | "lineStarts">;
type Sentence = { readonly message: string; readonly hint: string; readonly code?: string };

export const TAG: Sentence = {
  message: "YAML tags are not used here",
  hint: 'delete the word that begins with "!"; put a text that begins with "!" in quotes',
  code: "YAML_REFUSED",
};

/** An error in one line mostly causes those in the next ones. */
const SHOWN = 10;

/** What the YAML library found, as sentences; of several in a line only the first, which causes the others. */
export function syntaxProblems(
  source: Text,
  errors: readonly YAMLError[],
  unclosed: readonly number[],
): readonly Problem[] {
  const seen = new Set<number>();
  const problems: Problem[] = [];
  for (const error of errors) {
    const [start, end] = placeOf(source, error, unclosed);
    const line = lineOf(source.lineStarts, start);
    if (seen.has(line) || (error.code === "UNEXPECTED_TOKEN" && seen.has(line - 1))) continue;
    seen.add(line);
    const sentence = sentenceOf(source, error);
    problems.push(problemInText(source, start, end, { ...sentence, code: sentence.code ?? "YAML_SYNTAX" }));
    if (problems.length === SHOWN || error.code === "RESOURCE_EXHAUSTION") break;
  }
  return problems;
}

/** The library points at the start of an ill indented line; the reader looks at its first word. */
function placeOf(
  { text }: Text,
  { pos: [start, end], code, message }: YAMLError,
  unclosed: readonly number[],
): readonly [number, number] {
  const close = closingIn(message);
  const opening =
    close === undefined ? undefined : unclosed.findLast((at) => at < start && text[at] === (close === "]" ? "[" : "{"));
  if (opening !== undefined) return [opening, opening + 1];
  if (code === "MULTIPLE_DOCS") return [start, text.startsWith("---", start) ? start + 3 : start + 1];
  if (code !== "BAD_INDENT" && !message.startsWith("Sequence item")) return [start, Math.max(end, start + 1)];
  const word = /^[ \t]*([^\s:]+)?/.exec(text.slice(start));
  const first = start + (word === null ? 0 : word[0].length - (word[1]?.length ?? 0));
  return [first, first + Math.max(1, word?.[1]?.length ?? 1)];
}

function sentenceOf(source: Text, error: YAMLError): Sentence {
  if (error.code === "BAD_INDENT") return badIndent(error);
  if (error.code === "MISSING_CHAR") return missing(error);
  const found = character(source.text, error.pos[0]);
  if (error.code === "UNEXPECTED_TOKEN") return unexpected(error, found);
  if (error.code === "BAD_SCALAR_START")
    return { message: `a text cannot begin with ${found}`, hint: "put the text in quotes" };
  const message = `${error.message.slice(0, 1).toLowerCase()}${error.message.slice(1)}`;
  return (
    SENTENCES[error.code] ?? {
      message: `the YAML cannot be read here: ${message}`,
      hint: "mend this place, or put texts in quotes",
    }
  );
}

const SENTENCES: Readonly<Partial<Record<YAMLError["code"], Sentence>>> = {
  TAB_AS_INDENT: { message: "a tab indents this line", hint: "indent with spaces only" },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second ": " or a list begins where the value of a key is expected',
    hint: 'put a text that holds ": " in quotes, or begin the list or the block on its own, deeper indented line',
  },
  BAD_DQ_ESCAPE: {
    message: "this escape is unknown inside double quotes",
    hint: "write \\\\ for a backslash, or use single quotes",
  },
  MULTILINE_IMPLICIT_KEY: { message: 'this line has no ":" after its key', hint: 'write "key: value"' },
  MULTIPLE_DOCS: {
    message: "a second document begins here; the file may hold one",
    hint: 'move it to a file of its own, and delete the "---"',
    code: "YAML_REFUSED",
  },
  RESOURCE_EXHAUSTION: {
    message: "the file is nested too deeply",
    hint: "check that this is the file you mean",
    code: "YAML_REFUSED",
  },
  BAD_DIRECTIVE: {
    message: "this YAML directive is not understood",
    hint: 'delete the line that begins with "%"',
    code: "YAML_REFUSED",
  },
  KEY_OVER_1024_CHARS: { message: "this key is longer than 1024 characters", hint: "check the quotes around it" },
  TAG_RESOLVE_FAILED: TAG,
  BAD_ALIAS: {
    message: "a name for an alias is missing or holds characters that it may not",
    hint: 'put a text that begins with "*" or "&" in quotes',
  },
};

const character = (text: string, at: number): string =>
  at < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(at) ?? 0)) : "the end of the file";

function badIndent({ message }: YAMLError): Sentence {
  const close = closingIn(message);
  if (close !== undefined) return notClosed(close);
  return {
    message: "the indentation of this line fits no line above it",
    hint: "give the keys of one block the same indentation",
  };
}

function missing({ message }: YAMLError): Sentence {
  if (message.startsWith("Missing closing"))
    return {
      message: "a text in quotes is not closed",
      hint: `add the closing ${message.includes('"') ? "double" : "single"} quote`,
    };
  const close = closingIn(message);
  if (close !== undefined) return notClosed(close);
  if (message.startsWith("Sequence item"))
    return {
      message: 'this line is indented as an item of the list above, but begins with no "-"',
      hint: 'indent it under the key it belongs to, or put "- " before it',
    };
  if (message.includes(",")) return { message: "a comma is missing", hint: "put a comma between the items" };
  return { message: 'this is no "key: value"', hint: 'put ": " after the key, or mend the indentation' };
}

const closingIn = (message: string): string | undefined => /end with an? ([\]}])/.exec(message)?.[1];

const notClosed = (close: string): Sentence => ({
  message: `this "${close === "]" ? "[" : "{"}" is not closed`,
  hint: `add the "${close}", or indent what is inside deeper`,
});

function unexpected({ message }: YAMLError, found: string): Sentence {
  if (message.startsWith("Block scalar header"))
    return {
      message: "only an indentation or + or - may follow the | or > of a text block",
      hint: "begin the text on the next line",
    };
  if (message.includes("at node end"))
    return {
      message: "this does not belong to the value before it",
      hint: "mend the indentation, or put the whole value in quotes",
    };
  return {
    message: `${found} is not expected here`,
    hint: "mend the indentation or the brackets, or put the text in quotes",
  };
}
