/** What a command may know of the process it runs in. Built once, in main.ts; tests hand in their own. */
export type CliIo = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results, one text at a time; a line feed is added. */
  print(text: string): void;
  /** Messages for people, on stderr. */
  say(text: string): void;
  readonly stdout: { readonly isTTY: boolean; readonly columns: number };
  readonly stderr: { readonly isTTY: boolean };
  readonly stdin: { readonly isTTY: boolean };
  /** Asks a yes-or-no or free question on the terminal. Undefined where nobody can answer. */
  question(text: string): Promise<string | undefined>;
  /** Signals that the process got; every listener is told. Returns the way to stop listening. */
  onSignal(listener: (signal: Signal) => void): () => void;
  /** What whoever calls it types before a command: `midflight`, or `kubectl midflight`. Default: `midflight`. */
  readonly calledAs?: string;
  readonly version: string;
  readonly node: string;
};

/** SIGPIPE: nobody reads standard output any more. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

/** What a command ends with: the exit status. */
export type ExitStatus = number;
