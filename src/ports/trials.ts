import type { Migration } from "../plan/model.ts";

/** Copies of a metadata store that belong to a rehearsal: whatever is done to them, nobody is served from them. */
export interface Trials {
  /** Reads in a session that cannot write. Rejects `METADATA_UNREACHABLE`. */
  identify(signal: AbortSignal): Promise<StoreIdentity>;
  /**
   * Clears away what dead rehearsals left, then copies the store once; clones are made from that copy.
   * Rejects `TRIAL_REFUSED` (somebody uses the store, no right, no space: the message says which), `METADATA_UNREACHABLE`.
   */
  open(signal: AbortSignal): Promise<TrialGround>;
}

/** What tells a store from its restored copy: a server has one system and one start at a time. */
export type StoreIdentity = {
  readonly place: string;
  readonly system: string;
  readonly startedAt: string;
  readonly database: string;
  readonly isStandby: boolean;
};

export interface TrialGround {
  readonly facts: GroundFacts;
  /** A store as it was when the ground was opened. Rejects `TRIAL_REFUSED`. */
  clone(signal: AbortSignal): Promise<Clone>;
  /** Ends every session on the clones and removes them and the copy. Repeatable; needs no signal, since it must come to its end. */
  close(): Promise<void>;
}

export type GroundFacts = {
  readonly server: string;
  readonly bytes: number;
  readonly templateMs: number;
  readonly strategy: string;
  readonly content: string;
  /** Databases that dead rehearsals had left. */
  readonly swept: readonly string[];
  /** Sessions that were ended so that the store could be copied. */
  readonly sentAway: readonly string[];
};

export type Part = "up" | "down";

export interface Clone {
  readonly name: string;
  /** How long it took to make. */
  readonly ms: number;
  look(signal: AbortSignal): Promise<StoreLook>;
  /** Runs a file as the runner would, and watches each statement. A statement that fails is an answer, and nothing is thrown. */
  run(migration: Migration, part: Part, signal: AbortSignal): Promise<TracedRun>;
  /** As `run` up, but what each statement did is visible to others before `after` is asked. Ends when `after` says so. */
  runApart(
    migration: Migration,
    after: (statement: TracedStatement) => Promise<"go-on" | "enough">,
    signal: AbortSignal,
  ): Promise<TracedRun>;
  /** Values for each query of the list, read by the store's owner. Rejects `STATEMENTS_MALFORMED`. */
  sample(queries: readonly ListedQuery[], signal: AbortSignal): Promise<Samples>;
  /** Prepares and runs each query with each sample as the component would, and takes everything back. */
  ask(asking: Asking, signal: AbortSignal): Promise<readonly Answer[]>;
  /** Migrates by the runner while the components' queries go on, and somebody holds the tables. */
  load(order: LoadOrder, signal: AbortSignal): Promise<LoadMeasure>;
  drop(): Promise<void>;
}

/** One line of a release's `statements.json`. */
export type ListedQuery = {
  readonly name: string;
  readonly sql: string;
  /** A query whose rows are sample parameters; a column `cohort` is none, and says who is concerned. */
  readonly params: string;
  /** Queries that make the rows which this one is meant to hit: run before it, in the same transaction. */
  readonly after?: readonly string[];
};

export type Sample = { readonly values: readonly (string | null)[]; readonly cohort?: string };
/** By the name of the query. */
export type Samples = Readonly<Record<string, readonly Sample[]>>;

/** `component`: whose role is used. */
export type Asking = {
  readonly component: string;
  readonly queries: readonly ListedQuery[];
  readonly samples: Samples;
};

export type Answer = {
  readonly query: string;
  readonly outcomes: readonly Outcome[];
};

export type Outcome = { readonly cohort?: string } &
  /** `shape`: `name:type` of each column. */
  ({ readonly kind: "answered"; readonly hits: number; readonly shape: readonly string[] } | Refusal);

/** What the server said no to: when it read the query, or when it ran it. */
export type Refusal = {
  readonly kind: "refused";
  readonly at: "prepare" | "execute";
} & ServerError;

export type ServerError = {
  /** SQLSTATE. */
  readonly state: string;
  readonly message: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
};

export type StoreLook = {
  readonly fingerprint: string;
  readonly objects: readonly { readonly kind: string; readonly name: string; readonly what: string }[];
  /** Of tables too large to be read whole the digest is missing. */
  readonly tables: readonly { readonly name: string; readonly rows: number; readonly digest?: string }[];
};

export type TracedRun = {
  readonly file: string;
  readonly statements: readonly TracedStatement[];
  readonly ms: number;
  /** Left behind by statements that say CONCURRENTLY. */
  readonly invalidIndexes: readonly string[];
  readonly failure?: RunFailure;
};

/** `number` 0: none of the file's own statements, but what comes after them. */
export type RunFailure = ServerError & {
  readonly in: "up" | "down" | "verify";
  readonly file: string;
  readonly line: number;
  readonly number: number;
  readonly firstLine: string;
  readonly traits: readonly Trait[];
};

export type TracedStatement = {
  readonly file: string;
  readonly number: number;
  readonly of: number;
  readonly line: number;
  readonly firstLine: string;
  readonly traits: readonly Trait[];
  readonly ms: number;
  /** `outside`: it cannot run in a transaction, so neither its locks nor its rewrites were seen. `partly`: it takes no lock that tells of it. */
  readonly seen: "whole" | "partly" | "outside";
  /** New ones, on tables that stood before the file. */
  readonly locks: readonly { readonly table: string; readonly mode: string }[];
  /** Tables that stood before the file and were written anew. */
  readonly rewritten: readonly string[];
  readonly rowsTouched: number;
  /** What was in effect while it ran; 0: none. */
  readonly lockTimeoutMs: number;
};

/** What a statement is, as far as judging needs it. */
export type Trait =
  | "add-column-default"
  | "add-column-generated"
  | "add-column-required"
  | "change-type"
  | "rename"
  | "trigger"
  | "enum"
  | "rights"
  | "truncate"
  | "maintenance"
  | "dynamic"
  | "lock";

export type LoadOrder = {
  /** One call of each by turns. */
  readonly askings: readonly Asking[];
  readonly direction: Part;
  readonly names: readonly string[];
  readonly migrations: readonly Migration[];
  /** From one call of an asking to its next. */
  readonly everyMs: number;
  /** When the component gives a call up. */
  readonly abortMs: number;
  /** How long the reader and the writer that stand in the way keep their transactions open. */
  readonly readerMs: number;
  readonly writerMs: number;
};

export type LoadMeasure = {
  readonly calls: number;
  readonly failed: number;
  readonly worstMs: number;
  /** What failed calls said, most frequent first. */
  readonly failures: readonly { readonly query: string; readonly reason: string; readonly calls: number }[];
  /** Calls that asked the store for nothing, in the same time. When these fail, the machine is at fault. */
  readonly idleFailed: number;
  readonly idleCalls: number;
  readonly migrationMs: number;
  readonly tries: number;
  /** Whom the migration was seen waiting for. */
  readonly waitedFor: readonly string[];
  readonly failure?: string;
};
