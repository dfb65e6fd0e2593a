import { constants } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { JournalDisk } from "../../ports/journal-form.ts";
import { SLOT_BYTES, readSlots, slotBytes } from "./anchor.ts";
import type { Anchor } from "./anchor.ts";
import { FILE_MODE, syncFolder, writeAll } from "./durable.ts";
import { EMPTY } from "./line.ts";
import { damaged, recover } from "./recover.ts";
import type { Recovered } from "./recover.ts";
import { codeOf } from "./state-error.ts";

export const JOURNAL_FILE = "journal.ndjson";
export const ANCHOR_FILE = "journal.head";

type Read = {
  readonly recovered: Recovered;
  readonly anchor: Anchor | undefined;
  readonly bytes: Buffer;
  readonly nextSlot: 0 | 1;
};

/** Reads and checks a run's journal, and changes nothing. Undefined where there is none. */
export async function readJournal(folder: string): Promise<Read | undefined> {
  const path = join(folder, JOURNAL_FILE);
  // The anchor first: a writer that is at work may only make the journal longer than it.
  const slots = await readIfThere(join(folder, ANCHOR_FILE));
  const bytes = await readIfThere(path);
  if (bytes === undefined) {
    if (slots === undefined) return undefined;
    throw damaged(path, 1, "the file is gone, but its anchor is there");
  }
  const { anchor, next } = readSlots(slots ?? Buffer.alloc(0));
  const recovered = recover(path, bytes, anchor?.head ?? EMPTY);
  if (anchor === undefined && recovered.head.seq > 0) {
    throw damaged(
      path,
      recovered.head.seq,
      `its anchor ${ANCHOR_FILE} is ${slots === undefined ? "missing" : "unreadable"}, so nothing proves that no line is missing`,
    );
  }
  return { recovered, anchor, bytes, nextSlot: next };
}

/** When the run's folder was made; 0 where nothing tells. */
export async function createdAt(folder: string): Promise<number> {
  const slots = await readIfThere(join(folder, ANCHOR_FILE));
  return readSlots(slots ?? Buffer.alloc(0)).anchor?.created ?? 0;
}

/** Makes an empty journal and its anchor. Rejects with `EEXIST` where there is one. */
export async function createDisk(folder: string, created: number): Promise<JournalDisk> {
  await (await open(join(folder, JOURNAL_FILE), "wx", FILE_MODE)).close();
  try {
    return await openAt(folder, { size: 0, created, nextSlot: 0, isNew: true });
  } catch (error) {
    // Half a run would be listed as one.
    await Promise.all([JOURNAL_FILE, ANCHOR_FILE].map((name) => rm(join(folder, name), { force: true })));
    throw error;
  }
}

/**
 * Opens a journal for appending behind its good records: cuts a torn last line, writes once more what the anchor does not vouch for (the
 * page cache may hold what a failed sync never brought to the disk), then moves the anchor to the head, before anything depends on it.
 */
export async function reopenDisk(folder: string, read: Read, now: number): Promise<JournalDisk> {
  const { recovered, anchor, bytes } = read;
  const path = join(folder, JOURNAL_FILE);
  if (recovered.bytes > recovered.anchoredBytes || recovered.tornBytes > 0) {
    const handle = await open(path, "r+");
    try {
      await handle.truncate(recovered.bytes);
      await writeAll(handle, bytes.subarray(recovered.anchoredBytes, recovered.bytes), recovered.anchoredBytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
  const disk = await openAt(folder, {
    size: recovered.bytes,
    created: anchor?.created ?? now,
    nextSlot: read.nextSlot,
    isNew: anchor === undefined,
  });
  if (recovered.head.seq > (anchor?.head.seq ?? 0)) await disk.anchor(recovered.head);
  return disk;
}

async function openAt(
  folder: string,
  at: { readonly size: number; readonly created: number; readonly nextSlot: 0 | 1; readonly isNew: boolean },
): Promise<JournalDisk> {
  const path = join(folder, JOURNAL_FILE);
  const journal = await open(path, constants.O_WRONLY | constants.O_APPEND);
  const anchor = await open(join(folder, ANCHOR_FILE), constants.O_RDWR | constants.O_CREAT, FILE_MODE);
  let slot = at.nextSlot;
  let size = at.size;
  const disk: JournalDisk = {
    path,
    async append(line) {
      await refuseSecondWriter(path, journal, size);
      await writeAll(journal, line, undefined);
      await journal.datasync();
      size += line.length;
    },
    async anchor(head) {
      await writeAll(anchor, slotBytes({ head, created: at.created }), slot * SLOT_BYTES);
      await anchor.datasync();
      slot = slot === 0 ? 1 : 0;
    },
    async close() {
      await Promise.all([journal.close(), anchor.close()]);
    },
  };
  if (at.isNew) {
    await disk.anchor(EMPTY);
    await syncFolder(folder);
  }
  return disk;
}

/** A conductor that was suspended and overtaken must lose here as well as at the lease. */
async function refuseSecondWriter(path: string, journal: FileHandle, size: number): Promise<void> {
  const now = await journal.stat();
  if (now.size === size && now.nlink > 0) return;
  const what = now.nlink === 0 ? "it was removed" : `it has ${now.size} bytes where this process left ${size}`;
  throw new UpgradeError(
    "JOURNAL_WRITE_FAILED",
    `somebody else changed ${path} while this run was writing it: ${what}`,
    {
      hint: "look at `midflight status`: another conductor may act now",
    },
  );
}

const readIfThere = (path: string): Promise<Buffer | undefined> =>
  readFile(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
