import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import type { Scope } from "./http-request.ts";

/** Something that a chain began and has not taken back. `seat`: whose it is, by the place in the list of cohorts. `values`: what its undo needs to know; never a secret of the environment. */
export type Leftover = { readonly id: string; readonly seat: number; readonly values: Scope };

/** What chains leave open, in memory and in a file, so that it outlives a kill. */
export type Leftovers = {
  /** Written down before this returns: what is sent afterwards can be taken back by whoever comes next. */
  note(leftover: Leftover): void;
  closed(id: string): void;
  all(): readonly Leftover[];
  find(id: string): Leftover | undefined;
  end(): void;
};

/** The file is written anew when it has grown to this. */
const MOST_BYTES = 1_000_000;

/** Without a file what is open is lost with the process. A file that cannot be written or read is none: probing goes on. */
export const startLeftovers = (file: string | undefined): Leftovers => {
  const open = new Map<string, Leftover>(
    file === undefined ? [] : readLeftovers(file).map((leftover) => [leftover.id, leftover]),
  );
  let handle = file === undefined ? undefined : rewritten(file, [...open.values()]);
  let bytes = 0;
  const write = (line: Line): void => {
    if (handle === undefined || file === undefined) return;
    const text = `${JSON.stringify(line)}\n`;
    try {
      bytes += writeSync(handle, text);
      if (bytes < MOST_BYTES) return;
      closeSync(handle);
      handle = rewritten(file, [...open.values()]);
      bytes = 0;
    } catch {
      handle = undefined;
    }
  };
  return {
    note(leftover) {
      open.set(leftover.id, leftover);
      write({ open: leftover });
    },
    closed(id) {
      if (open.delete(id)) write({ closed: id });
    },
    all: () => [...open.values()],
    find: (id) => open.get(id),
    end() {
      if (handle !== undefined) closeSync(handle);
      handle = undefined;
    },
  };
};

type Line = { readonly open: Leftover } | { readonly closed: string };

/** What is open by a file; what cannot be understood was never written to its end. */
const readLeftovers = (file: string): readonly Leftover[] => {
  const open = new Map<string, Leftover>();
  for (const line of linesOf(file)) {
    const read = parsed(line);
    if (read === undefined) continue;
    if ("open" in read) open.set(read.open.id, read.open);
    else open.delete(read.closed);
  }
  return [...open.values()];
};

const linesOf = (file: string): readonly string[] => {
  try {
    return existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  } catch {
    return [];
  }
};

const parsed = (line: string): Line | undefined => {
  try {
    const value = JSON.parse(line) as Line;
    return "open" in value || "closed" in value ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Only what is open, in place of what was there. */
const rewritten = (file: string, leftovers: readonly Leftover[]): number | undefined => {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const fresh = `${file}.new`;
    writeFileSync(fresh, leftovers.map((leftover) => `${JSON.stringify({ open: leftover })}\n`).join(""), {
      mode: 0o600,
    });
    renameSync(fresh, file);
    return openSync(file, "a", 0o600);
  } catch {
    return undefined;
  }
};
