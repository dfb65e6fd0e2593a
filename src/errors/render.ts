import type { Problem } from "./problem.ts";

/** How a piece of the text matters; the caller knows colours. */
export type ProblemPaint = (style: "bad" | "bold", text: string) => string;

const plain: ProblemPaint = (_style, text) => text;

/** More than this helps nobody at once; the JSON form has all of them. */
const SHOWN = 100;
/** Longest piece of a source line that is shown, in characters. */
const WIDTH = 140;

/** Problems as text for people: each with its place, the source line, a caret, and what to do. No colours by default. */
export function renderProblems(problems: readonly Problem[], paint: ProblemPaint = plain): string {
  const blocks = problems.slice(0, SHOWN).map((problem) => renderProblem(problem, paint));
  return [...blocks, closing(problems)].join("\n\n");
}

function closing(problems: readonly Problem[]): string {
  const hidden = problems.length - SHOWN;
  const more = hidden > 0 ? `${hidden} more are not shown; --json has them all. ` : "";
  const files = [...new Set(problems.map((problem) => printable(problem.file)))].join(", ");
  return `${more}${counted(problems)} in ${files}; nothing was touched`;
}

function counted(problems: readonly Problem[]): string {
  const warnings = problems.filter((problem) => problem.isWarning === true).length;
  const bad = problems.length - warnings;
  const parts = [
    ...(bad > 0 || warnings === 0 ? [bad === 1 ? "1 problem" : `${bad} problems`] : []),
    ...(warnings > 0 ? [warnings === 1 ? "1 warning" : `${warnings} warnings`] : []),
  ];
  return parts.join(" and ");
}

function renderProblem(problem: Problem, paint: ProblemPaint): string {
  const margin = " ".repeat(Math.max(2, String(problem.line).length));
  const word = problem.isWarning === true ? "warning" : "error";
  const head = `${paint("bad", `${word}[${problem.code}]`)}: ${paint("bold", printable(problem.message))}`;
  const hint = problem.hint === undefined ? [] : [`${margin} = ${printable(problem.hint)}`];
  return [head, `${margin}--> ${placeOf(problem)}`, ...snippet(problem, margin, paint), ...hint].join("\n");
}

function placeOf(problem: Problem): string {
  const at =
    problem.line === 0 ? printable(problem.file) : `${printable(problem.file)}:${problem.line}:${problem.column}`;
  return problem.path === undefined || problem.path === "" ? at : `${at}  (${printable(problem.path)})`;
}

function snippet(problem: Problem, margin: string, paint: ProblemPaint): readonly string[] {
  if (problem.source === undefined || problem.line === 0) return [];
  const { text, before, marked } = cut(problem.source, problem.column - 1, problem.length ?? 1);
  const number = String(problem.line).padStart(margin.length);
  const caret = " ".repeat(widthOf(before)) + paint("bad", "^".repeat(Math.max(1, widthOf(marked))));
  return [`${margin} |`, `${number} | ${text}`, `${margin} | ${caret}`];
}

type Cut = { readonly text: string; readonly before: string; readonly marked: string };

/** The part of a line around `column` (0-based, in characters), with what stands before and under the caret. */
function cut(source: string, column: number, length: number): Cut {
  const characters = Array.from(printable(source));
  const from = column + length <= WIDTH ? 0 : Math.max(0, column - 40);
  const until = from + WIDTH;
  const lead = from > 0 ? "…" : "";
  return {
    text: lead + characters.slice(from, until).join("") + (characters.length > until ? "…" : ""),
    before: lead + characters.slice(from, column).join(""),
    marked: characters.slice(column, Math.min(column + length, until)).join(""),
  };
}

/** Control and format characters, and halves of pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A file is written by anybody: no character of it may steer the terminal, and each takes its column. */
const printable = (text: string): string =>
  text.replaceAll(UNPRINTABLE, (character) => (character === "\t" ? " " : "\uFFFD"));

/** Columns on a terminal. */
const widthOf = (text: string): number => Array.from(text).reduce((width, character) => width + columns(character), 0);

function columns(character: string): number {
  if (/^\p{M}$/u.test(character)) return 0;
  return /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303F\uFF01-\uFF60]$/u.test(
    character,
  )
    ? 2
    : 1;
}

/** One problem for machines. Lines and columns count from 1, in characters; `range` is absent where there is no place. */
export type ProblemJson = {
  readonly kind: "problem";
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly range?: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
  readonly path?: string;
  readonly source?: string;
  readonly hint?: string;
  readonly docs: string;
};

/** Problems as plain data, all of them. */
export const problemsJson = (problems: readonly Problem[]): readonly ProblemJson[] =>
  problems.map((problem) => {
    const { code, message, file, line, column, length, ...rest } = problem;
    const range = { start: { line, column }, end: { line, column: column + (length ?? 1) } };
    return {
      kind: "problem",
      code,
      message,
      file,
      ...(line === 0 ? {} : { range }),
      ...rest,
      docs: `midflight explain ${code}`,
    };
  });
