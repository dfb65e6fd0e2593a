/** One line of the journal, before its `seq` and `hash`: any JSON object. */
export type JournalBody = { readonly [key: string]: unknown };
export type JournalRecord = JournalBody & { readonly seq: number };

/**
 * The facts of one run, in order; the truth about it. Append resolves only when the record is durable (fsync) and the
 * head is anchored outside the file. After a failed fsync it rejects for ever: never retried.
 */
export interface Journal {
  /** Rejects `JOURNAL_WRITE_FAILED` (disk full, IO error). */
  append(body: JournalBody): Promise<JournalRecord>;
  /** All records so far. */
  readonly records: readonly JournalRecord[];
  close(): Promise<void>;
}

/** Everything that midflight keeps about runs: journals, copies of plans, before-states, reports. */
export interface RunStore {
  /** Begins a new run. Rejects `RUN_EXISTS`, `STATE_UNWRITABLE`. */
  create(run: string): Promise<Journal>;
  /** Opens for appending: a torn last line is cut, any other damage rejects `JOURNAL_CORRUPT` with the line number; an unknown format version `JOURNAL_VERSION`. */
  open(run: string): Promise<Journal>;
  /** Reads without opening for writing, and without cutting anything. */
  read(run: string): Promise<readonly JournalRecord[]>;
  /** Newest first. */
  list(): Promise<readonly string[]>;
  /** Writes `name` beside the journal, atomically and durably. */
  putFile(run: string, name: string, text: string): Promise<string>;
  getFile(run: string, name: string): Promise<string | undefined>;
  /**
   * Tells the text of a file: as it is now, undefined where there is none, and each time that it was replaced, until the signal aborts.
   * What cannot be looked at is looked at again.
   */
  watchFile(run: string, name: string, told: (text: string | undefined) => void, signal: AbortSignal): void;
  /** Calls `changed` now, and each time that the journal of a run may have grown, until the signal aborts. */
  watchJournal(run: string, changed: () => void, signal: AbortSignal): void;
  /** A folder of this machine with all files beside the journal. Rejects `RUN_NOT_FOUND_HERE`, `STATE_UNWRITABLE`. */
  folder(run: string): Promise<string>;
  /** Absolute path of a file beside the journal on this machine, for people, and for what is too much to keep elsewhere. */
  pathOf(run: string, name: string): string;
  remove(run: string): Promise<void>;
}
