/** A number that the README states, beside what it has to reach. Both come from the same run. */
export type Figure = {
  readonly figure: string;
  readonly measured: string;
  readonly goal: string;
  /** Whether the goal is reached; what could not be measured did not reach it. Undefined where none is stated. */
  readonly ok: boolean | undefined;
};

/** Rows under a head, as printed. */
export type Table = {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

/** What a bench hands over: written to `results/<name>.json`, and printed. */
export type Result = {
  readonly name: string;
  /** What was asked for: seeds, pairs, minutes. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  /** Everything that the figures were made of. */
  readonly raw: unknown;
  /** More files, by name: written beside the JSON. */
  readonly files?: Readonly<Record<string, string>>;
};

export type BenchOptions = {
  readonly isQuick: boolean;
  readonly seeds: number | undefined;
  readonly firstSeed: number;
  readonly stories: readonly string[] | undefined;
  /** Of a bench that has several. */
  readonly parts: readonly string[] | undefined;
  readonly pairs: number | undefined;
  readonly minutes: number | undefined;
  readonly seconds: number | undefined;
  /** User operations per second, where users trade. */
  readonly ratePerSec: number;
};

/** Where a bench runs. */
export type Stage = {
  readonly options: BenchOptions;
  /** A folder of its own, removed afterwards unless something in it is to be kept. */
  readonly dir: string;
  /** Keeps a folder in it for whoever looks into a failure. */
  readonly keep: (path: string) => void;
  /** Progress, for people. */
  readonly say: (text: string) => void;
  /** Hands over a result; a bench may have several, each as soon as it is there. */
  readonly publish: (result: Result) => Promise<void>;
  /** Aborts: end what was started, then reject. */
  readonly signal: AbortSignal;
};

export type Bench = {
  readonly name: string;
  readonly about: string;
  readonly run: (stage: Stage) => Promise<void>;
};
