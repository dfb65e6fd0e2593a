import type { Journal, JournalRecord } from "./journal.ts";

/** Where a journal stands: how many records, and the hash of the last one. */
export type JournalHead = { readonly seq: number; readonly hash: string };

/** Where a journal's lines go. Every call resolves when they are durable. */
export type JournalDisk = {
  /** As a person finds it. */
  readonly path: string;
  append(line: Buffer): Promise<void>;
  anchor(head: JournalHead): Promise<void>;
  close(): Promise<void>;
};

/** How records become lines that vouch for each other. One form, whatever a journal is kept on. */
export type JournalForm = {
  /** The head of a journal without records. */
  readonly empty: JournalHead;
  /** Reads all lines, each with its line feed. Throws `JOURNAL_CORRUPT` with the number of the record, `JOURNAL_VERSION`. */
  recover(
    path: string,
    lines: Buffer,
    anchor: JournalHead,
  ): {
    readonly records: readonly JournalRecord[];
    readonly head: JournalHead;
    /** Length of a last line that was not finished. */
    readonly tornBytes: number;
  };
  journalOn(
    disk: JournalDisk,
    past: { readonly records: readonly JournalRecord[]; readonly head: JournalHead },
  ): Journal;
};
