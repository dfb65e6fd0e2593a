import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { JournalRecord } from "../../ports/journal.ts";
import { EMPTY, FORMAT, readLine, statedFormat } from "./line.ts";
import type { Head } from "./line.ts";

/** A journal as it was read: its good records, where they end, and how much after them was never finished. */
export type Recovered = {
  readonly records: readonly JournalRecord[];
  readonly head: Head;
  /** Length of the good records. */
  readonly bytes: number;
  /** Length of a last line that was being written when its writer died. */
  readonly tornBytes: number;
  /** Where the records begin that the anchor does not vouch for yet. */
  readonly anchoredBytes: number;
};

/**
 * Reads a journal up to its end or to a torn last line. A line is torn only if it is the last and either has no line feed or holds a zero byte
 * (a file that grew but was not written). Anything else is damage, and so are fewer records than the anchor vouches for. Rejects `JOURNAL_CORRUPT`, `JOURNAL_VERSION`.
 */
export function recover(path: string, bytes: Buffer, anchor: Head): Recovered {
  const records: JournalRecord[] = [];
  let head = EMPTY;
  let at = 0;
  let anchoredBytes = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(LINE_FEED, at);
    const line = bytes.subarray(at, end === -1 ? bytes.length : end);
    if (head.seq === 0 && end !== -1) refuseOtherFormat(path, line);
    const reading = end === -1 ? UNFINISHED : readLine(head, line);
    if (reading.kind === "bad") {
      const isLast = end === -1 || end === bytes.length - 1;
      if (isLast && (end === -1 || line.includes(0))) break;
      throw damaged(path, head.seq + 1, reading.why);
    }
    records.push(reading.record);
    head = reading.head;
    at = end + 1;
    if (head.seq === anchor.seq) {
      anchoredBytes = at;
      if (head.hash !== anchor.hash)
        throw damaged(path, head.seq, "it is not the record that the anchor vouches for: the journal was replaced");
    }
  }
  if (head.seq < anchor.seq)
    throw damaged(
      path,
      head.seq + 1,
      `it is missing or torn, but was acknowledged: the anchor vouches for ${anchor.seq} lines`,
    );
  return { records, head, bytes: at, tornBytes: bytes.length - at, anchoredBytes };
}

const LINE_FEED = 10;
const UNFINISHED = { kind: "bad", why: "it has no line feed" } as const;

function refuseOtherFormat(path: string, firstLine: Buffer): void {
  const format = statedFormat(firstLine);
  if (format === undefined || format === FORMAT) return;
  throw new UpgradeError(
    "JOURNAL_VERSION",
    `line 1 of ${path} says format ${format}; this midflight reads format ${FORMAT}`,
    {
      hint: "use the version of midflight that wrote it; nothing was changed",
    },
  );
}

/** `JOURNAL_CORRUPT`: which line, and why. */
export const damaged = (path: string, line: number, why: string): UpgradeError =>
  new UpgradeError("JOURNAL_CORRUPT", `line ${line} of ${path} is damaged: ${why}`, {
    hint: "restore the run's folder from a copy; the recorded before-state lies beside the journal in before.json, for mending by hand",
  });
