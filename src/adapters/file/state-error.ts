import { UpgradeError } from "../../errors/upgrade-error.ts";

export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Runs something on the state folder; what the system refuses becomes `STATE_UNWRITABLE`, with the path and the user. */
export async function onState<T>(act: "read" | "write", path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw /^E(?!RR_)/.test(codeOf(error)) ? refused(act, path, error) : error;
  }
}

function refused(act: "read" | "write", path: string, cause: unknown): UpgradeError {
  const code = codeOf(cause);
  return new UpgradeError(
    "STATE_UNWRITABLE",
    `cannot ${act} ${path} as uid ${process.getuid?.() ?? "?"}: ${reasonOf(code)}`,
    { hint: HINTS[code] ?? "mend it, or name another folder with --state", cause },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOTDIR: "a file is in the way of the folder",
  EEXIST: "a file is in the way of the folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file may not grow further",
  EIO: "the disk failed",
  EMFILE: "too many open files",
};

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "give this user the folder (chown), or name another one with --state",
  EPERM: "give this user the folder (chown), or name another one with --state",
  EROFS: "name a folder on a writable disk with --state",
  ENOTDIR: "move the file away, or name another folder with --state",
  EEXIST: "move the file away, or name another folder with --state",
  ENOSPC: "make room, or name a folder on another disk with --state",
  EDQUOT: "make room, or name a folder on another disk with --state",
};

/** What the system's code means, in words. */
export const reasonOf = (code: string): string => (REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`);
