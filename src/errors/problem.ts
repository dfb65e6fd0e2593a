/** One thing wrong with an input file: where, what was found, what was expected, what to do. */
export type Problem = {
  readonly code: string;
  readonly message: string;
  readonly file: string;
  /** 1-based; 0 when the problem has no place, such as a missing file. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;
  /** The source line, and how many characters to underline from `column`. */
  readonly source?: string;
  readonly length?: number;
  /** Where in the document, such as `steps[2].waves[0].batch`. */
  readonly path?: string;
  readonly hint?: string;
  /** It is shown, and keeps nothing from going on. */
  readonly isWarning?: true;
};

/** All problems of the input at once. It exits with 3 and touches nothing. */
export class BadInput extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => `${problem.file}:${problem.line}:${problem.column} ${problem.message}`).join("\n"));
    this.name = "BadInput";
    this.problems = problems;
  }
}
