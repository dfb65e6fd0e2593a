import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { access, constants, mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { codeOf } from "./state-error.ts";

/** Nobody else reads what a run keeps: plans may name hosts and accounts. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** Makes a folder and its parents, and makes each new name durable. */
export async function ensureFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: FOLDER_MODE }).catch(async (error: unknown) => {
    // A read-only file system may answer that the new name does not exist; asked about the folder above, it tells the truth.
    if (codeOf(error) === "ENOENT") await access(nearest(dirname(path)), constants.W_OK);
    throw error;
  });
  if (first === undefined) return;
  for (let folder = path; folder !== dirname(first); folder = dirname(folder)) await syncFolder(folder);
  await syncFolder(dirname(first));
}

/** The folder itself, or the first one above it that exists. */
const nearest = (path: string): string => (existsSync(path) || path === dirname(path) ? path : nearest(dirname(path)));

/** A new or renamed file is found again after a power cut only when its folder was synced. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file whole: whoever reads sees the old text or the new one, also after a power cut. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeAside(path, text, (aside) => rename(aside, path));
}

/** Writes a whole, durable file under a name of its own, lets `place` put it, and leaves nothing behind when that fails. */
export async function writeAside(path: string, text: string, place: (aside: string) => Promise<void>): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(aside, "wx", FILE_MODE);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(aside);
  } finally {
    await rm(aside, { force: true });
  }
  await syncFolder(dirname(path));
}

/** Writes all of it: one call may write less than it was given. */
export async function writeAll(handle: FileHandle, bytes: Buffer, position: number | undefined): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(
      bytes,
      done,
      bytes.length - done,
      position === undefined ? undefined : position + done,
    );
    done += bytesWritten;
  }
}
