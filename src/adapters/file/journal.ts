import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Bug } from "../../errors/bug.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Journal, JournalBody, JournalRecord } from "../../ports/journal.ts";
import type { JournalDisk } from "../../ports/journal-form.ts";
import { lineAfter } from "./line.ts";
import type { Head } from "./line.ts";
import { codeOf, reasonOf } from "./state-error.ts";

/**
 * Appends one record at a time: the line, durable; the anchor, durable; then the answer. After the first failure it rejects for ever: a kernel
 * that failed to write may call the pages clean, so that trying again would prove nothing.
 */
export function journalOn(
  disk: JournalDisk,
  past: { readonly records: readonly JournalRecord[]; readonly head: Head },
): Journal {
  /** Of a large fleet each may be 50 kB, and a run has hundreds: what was appended waits as compressed text for whoever asks. */
  const appended: Buffer[] = [];
  let head = past.head;
  let failure: UpgradeError | undefined;
  let closing: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const write = async (body: JournalBody): Promise<JournalRecord> => {
    if (failure !== undefined) throw failure;
    const line = lineAfter(head, body);
    try {
      await disk.append(line.bytes);
      await disk.anchor(line.head);
    } catch (error) {
      failure = writeFailed(disk.path, line.head.seq, error);
      throw failure;
    }
    head = line.head;
    appended.push(deflateRawSync(JSON.stringify(line.record), { level: 1 }));
    return line.record;
  };

  return {
    get records() {
      return [...past.records, ...appended.map((one) => JSON.parse(inflateRawSync(one).toString()) as JournalRecord)];
    },
    append(body) {
      if (closing !== undefined) return Promise.reject(new Bug(`a record came after ${disk.path} was closed`));
      const written = last.then(() => write(body));
      last = written.catch(() => undefined);
      return written;
    },
    close() {
      closing ??= last.then(() => disk.close());
      return closing;
    },
  };
}

function writeFailed(path: string, line: number, cause: unknown): UpgradeError {
  if (cause instanceof UpgradeError) return cause;
  const code = codeOf(cause);
  return new UpgradeError(
    "JOURNAL_WRITE_FAILED",
    `line ${line} of ${path} could not be made durable: ${code === "" ? String(cause) : reasonOf(code)}`,
    {
      hint: ["ENOSPC", "EDQUOT", "EFBIG"].includes(code)
        ? "make room on that disk, then `midflight resume`"
        : "mend the disk, then `midflight resume`; the run reads its journal again and looks at the world first",
      cause,
    },
  );
}
