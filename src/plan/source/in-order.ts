import type { Problem } from "../../errors/problem.ts";

/** As a reader meets them: file by file, from top to bottom, and each only once. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  const once = new Map(
    problems.map((problem) => [
      `${problem.file}\0${problem.line}:${problem.column}\0${problem.code}\0${problem.message}`,
      problem,
    ]),
  );
  return [...once.values()].toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}
