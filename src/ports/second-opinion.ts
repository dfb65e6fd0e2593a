/** Another linter's view of the same files, where one is installed. */
export interface SecondOpinion {
  /** One entry for each finding, in the order of the files. Rejects `LINTER_FAILED` when the linter does not answer as it should. */
  lint(files: readonly OpinionFile[], signal: AbortSignal): Promise<readonly Opinion[]>;
}
export type OpinionFile = {
  /** As the user names it, and where it is. */
  readonly file: string;
  readonly path: string;
  readonly text: string;
};
export type Opinion = {
  readonly file: string;
  /** In its own words. */
  readonly rule: string;
  /** 1-based; the column counts characters. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly help?: string;
};
