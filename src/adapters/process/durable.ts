import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";

/** Nobody else reads them: logs and records may hold what is not for everybody. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/**
 * Replaces a file whole, and durably. `permit` is asked when everything is ready, so that no slow disk lies between its word and the act.
 * Rejects `STATE_UNWRITABLE`, or as `permit` does; then nothing was replaced.
 */
export const replaceFile = (path: string, text: string, permit: () => Promise<void>): Promise<void> =>
  onState("write", path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    const aside = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
    try {
      await writeNew(aside, text);
      await permit();
      await rename(aside, path);
    } finally {
      await rm(aside, { force: true });
    }
    await syncFolder(dirname(path));
  });

/** Creates an empty file, durably; one that is there stays. Rejects `STATE_UNWRITABLE`. */
export const touchFile = (path: string): Promise<void> =>
  onState("write", path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    await (await open(path, "a", FILE_MODE)).close();
    await syncFolder(dirname(path));
  });

async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", FILE_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name is found again after a power cut only when its folder was synced. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** Works on the state folder; what the system refuses becomes `STATE_UNWRITABLE`, with the path and the reason. */
export async function onState<T>(act: "read" | "write", path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = codeOf(cause);
    if (!/^E[A-Z]+$/.test(code)) throw cause;
    const hint =
      code === "ENOSPC" || code === "EDQUOT"
        ? "make room, or name a folder on another disk with --state"
        : "give this user the folder, or name another one with --state";
    throw new UpgradeError(
      "STATE_UNWRITABLE",
      `cannot ${act} ${path} as uid ${process.getuid?.() ?? "?"}: ${reasonOf(code)}`,
      { hint, cause },
    );
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOTDIR: "a file is in the way of the folder",
  EEXIST: "a file is in the way of the folder",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EIO: "the disk failed",
  EMFILE: "too many open files",
};

const reasonOf = (code: string): string => (REASONS[code] === undefined ? code : `${REASONS[code]} (${code})`);
