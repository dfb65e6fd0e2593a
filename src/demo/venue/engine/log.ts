import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Entry } from "./entry.ts";

/** Where an epoch begins in a log. */
export type Segment = { readonly epoch: number; readonly firstSeq: number };

/**
 * The engine's own record: one entry per line, appended before anybody is told. It survives the death of the process;
 * the death of the machine is what the standby's copy is for.
 */
export type Log = {
  readonly lastSeq: number;
  /** The epoch of the last entry; 0 when the log is empty. */
  readonly lastEpoch: number;
  readonly segments: readonly Segment[];
  /** Returns once the entry is in the file. Throws `ENGINE_LOG_FAILED`, and then the file is as before. */
  append(entry: Entry): void;
  /** Up to `count` entries after `seq`. */
  after(seq: number, count: number): readonly Entry[];
  /** Forgets every entry after `seq`. */
  truncate(seq: number): void;
  close(): void;
};

/** Every so many entries the position in the file is remembered. */
const STRIDE = 64;
const CHUNK_BYTES = 1 << 20;

/** Opens the log in `dir`, and heals a last line that a crash tore. Throws `ENGINE_LOG_FAILED`. */
export const openLog = (dir: string): Log => {
  const path = join(dir, "log.ndjson");
  const fd = attempt(path, "open", () => {
    mkdirSync(dir, { recursive: true });
    return openSync(path, "a+");
  });
  // marks[i] is where the entry with seq i * STRIDE + 1 begins.
  let marks: number[] = [];
  let segments: Segment[] = [];
  let size = 0;
  let lastSeq = 0;
  let lastEpoch = 0;

  const note = (entry: Pick<Entry, "seq" | "epoch">, at: number): void => {
    if (entry.seq !== lastSeq + 1 || entry.epoch < lastEpoch)
      throw damaged(path, `entry ${entry.seq} of epoch ${entry.epoch} follows entry ${lastSeq} of epoch ${lastEpoch}`);
    if ((entry.seq - 1) % STRIDE === 0) marks.push(at);
    if (entry.epoch !== lastEpoch) segments.push({ epoch: entry.epoch, firstSeq: entry.seq });
    lastSeq = entry.seq;
    lastEpoch = entry.epoch;
  };
  const placeOf = (seq: number): number => {
    if (seq > lastSeq) return size;
    const index = Math.floor((seq - 1) / STRIDE);
    let at = marks[index] ?? 0;
    let left = seq - 1 - index * STRIDE;
    for (const line of linesFrom(fd, at)) {
      if (left === 0) break;
      at += line.bytes;
      left -= 1;
    }
    return at;
  };

  attempt(path, "read", () => {
    for (const line of linesFrom(fd, 0)) {
      note(parse(path, line.text, lastSeq + 1), size);
      size += line.bytes;
    }
    ftruncateSync(fd, size);
  });

  return {
    get lastSeq() {
      return lastSeq;
    },
    get lastEpoch() {
      return lastEpoch;
    },
    get segments() {
      return segments;
    },
    append(entry) {
      const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
      attempt(path, "append to", () => {
        try {
          writeWhole(fd, bytes);
        } catch (cause) {
          ftruncateSync(fd, size);
          throw cause;
        }
      });
      note(entry, size);
      size += bytes.length;
    },
    after(seq, count) {
      const found: Entry[] = [];
      for (const line of linesFrom(fd, placeOf(seq + 1))) {
        if (found.length === count) break;
        found.push(parse(path, line.text, seq + found.length + 1));
      }
      return found;
    },
    truncate(seq) {
      if (seq >= lastSeq) return;
      const at = placeOf(seq + 1);
      attempt(path, "truncate", () => ftruncateSync(fd, at));
      size = at;
      lastSeq = seq;
      marks = marks.slice(0, Math.ceil(seq / STRIDE));
      segments = segments.filter(({ firstSeq }) => firstSeq <= seq);
      lastEpoch = segments.at(-1)?.epoch ?? 0;
    },
    close: () => closeSync(fd),
  };
};

const writeWhole = (fd: number, bytes: Buffer): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
};

type Line = { readonly text: string; readonly bytes: number };

// Complete lines only: what comes after the last line feed was never acknowledged to anybody.
function* linesFrom(fd: number, start: number): Generator<Line> {
  const end = fstatSync(fd).size;
  let rest: Buffer = Buffer.alloc(0);
  for (let at = start; at < end;) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, end - at));
    const read = readSync(fd, chunk, 0, chunk.length, at);
    if (read === 0) return;
    at += read;
    const known = Buffer.concat([rest, chunk.subarray(0, read)]);
    let from = 0;
    for (let feed = known.indexOf(10, from); feed !== -1; feed = known.indexOf(10, from)) {
      yield { text: known.toString("utf8", from, feed), bytes: feed + 1 - from };
      from = feed + 1;
    }
    rest = known.subarray(from);
  }
}

const parse = (path: string, text: string, seq: number): Entry => {
  try {
    return JSON.parse(text) as Entry;
  } catch (cause) {
    throw damaged(path, `line ${seq} is no JSON`, cause);
  }
};

const damaged = (path: string, facts: string, cause?: unknown): UpgradeError =>
  new UpgradeError("ENGINE_LOG_FAILED", `the engine's log ${path} is damaged: ${facts}`, {
    hint: "move the folder away: the engine then copies the log of the other one",
    ...(cause !== undefined && { cause }),
  });

const attempt = <T>(path: string, verb: string, act: () => T): T => {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof UpgradeError) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new UpgradeError("ENGINE_LOG_FAILED", `cannot ${verb} the engine's log ${path}: ${reason}`, {
      hint: reason === "ENOSPC" ? "free space on that disk" : "check that the folder may be written",
      cause,
    });
  }
};

/** The last entry that two logs have in common. Entries of the same epoch and seq are the same. */
export const lastCommonSeq = (
  mine: Pick<Log, "segments" | "lastSeq">,
  theirs: Pick<Log, "segments" | "lastSeq">,
): number => {
  let common = 0;
  for (const [index, segment] of mine.segments.entries()) {
    const twin = theirs.segments[index];
    if (twin?.epoch !== segment.epoch || twin.firstSeq !== segment.firstSeq) break;
    const end = (log: Pick<Log, "segments" | "lastSeq">): number =>
      (log.segments[index + 1]?.firstSeq ?? log.lastSeq + 1) - 1;
    common = Math.min(end(mine), end(theirs));
    if (end(mine) !== end(theirs)) break;
  }
  return common;
};
