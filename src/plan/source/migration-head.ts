import type { Problem } from "../../errors/problem.ts";
import type { MigrationPhase } from "../model.ts";
import { nearest } from "../nearest.ts";
import { lineStartsOf, problemInText } from "./source.ts";

/** What the comments at the start of a migration say to midflight. */
export type Head = {
  readonly phase?: MigrationPhase;
  readonly isOutsideTransaction: boolean;
  readonly problems: readonly Problem[];
};

/** What a comment says to midflight: what stands before the word, the word, and what follows it. */
export const DIRECTIVE = /^([ \t]*--[ \t]*midflight[ \t]*:[ \t]*)(\S*)[ \t]*(.*?)[ \t]*\r?$/i;
const WORDS = ["phase", "no-transaction", "allow"] as const;
const PHASES = ["expand", "contract"] as const;

/** Reads `-- midflight: phase expand` and `-- midflight: no-transaction`. The head ends with the first line that is neither blank nor a comment. */
export function readHead(file: string, text: string): Head {
  const lineStarts = lineStartsOf(text);
  const found: Found[] = [];
  const problems: Problem[] = [];
  let isHead = true;
  for (const [index, start] of lineStarts.entries()) {
    const line = text.slice(start, (lineStarts[index + 1] ?? text.length + 1) - 1);
    const match = DIRECTIVE.exec(line);
    const complain = (from: number, length: number, message: string, hint: string) =>
      problems.push(
        problemInText({ file, text, lineStarts }, start + from, start + from + length, {
          code: "MIGRATION_HEAD",
          message,
          hint,
        }),
      );
    if (match !== null) {
      const [, before = "", word = "", value = ""] = match;
      // An allow speaks of the statement below it, and the lint judges it.
      if (word === "allow") continue;
      if (!isHead)
        complain(
          0,
          line.trimEnd().length,
          "this stands below the first statement, where nobody looks for it",
          "move it to the top of the file",
        );
      else
        found.push(
          ...judge(
            { word, value, at: before.length, valueAt: line.indexOf(value, before.length + word.length) },
            found,
            complain,
          ),
        );
    } else if (!/^\s*(--.*)?$/.test(line)) isHead = false;
  }
  const phase = found.find((one) => one.word === "phase")?.phase;
  return {
    ...(phase === undefined ? {} : { phase }),
    isOutsideTransaction: found.some((one) => one.word === "no-transaction"),
    problems,
  };
}

type Found = { readonly word: (typeof WORDS)[number]; readonly phase?: MigrationPhase };
type Written = { readonly word: string; readonly value: string; readonly at: number; readonly valueAt: number };

function judge(
  { word, value, at, valueAt }: Written,
  before: readonly Found[],
  complain: (from: number, length: number, message: string, hint: string) => void,
): readonly Found[] {
  const known = WORDS.find((one) => one === word);
  if (known === undefined) {
    const near = nearest(word, WORDS);
    complain(
      at,
      Math.max(1, word.length),
      `midflight knows no "${word}" here`,
      near === undefined ? `it knows: ${WORDS.join(", ")}` : `did you mean "${near}"?`,
    );
    return [];
  }
  if (before.some((one) => one.word === known)) {
    complain(at, word.length, `"${known}" is said twice`, "keep one of the two");
    return [];
  }
  if (known === "no-transaction") {
    if (value !== "") complain(valueAt, value.length, `"${known}" takes no value`, "delete what follows it");
    return [{ word: known }];
  }
  const phase = PHASES.find((one) => one === value);
  if (phase !== undefined) return [{ word: known, phase }];
  const near = nearest(value, PHASES);
  complain(
    value === "" ? at : valueAt,
    Math.max(1, value === "" ? word.length : value.length),
    value === "" ? "the phase is not named" : `"${value}" is no phase`,
    near === undefined ? "write expand or contract" : `did you mean "${near}"?`,
  );
  return [];
}
