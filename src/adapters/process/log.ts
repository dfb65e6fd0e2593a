import { mkdir, open, rename } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf, FILE_MODE, FOLDER_MODE, onState } from "./durable.ts";

const TAIL_BYTES = 4_096;
const TAIL_LINES = 12;

export const logPath = (
  dir: string,
  record: { readonly component: string; readonly region: string; readonly id: string },
): string =>
  join(
    dir,
    "logs",
    encodeURIComponent(record.component),
    encodeURIComponent(record.region),
    `${encodeURIComponent(record.id)}.log`,
  );

/** A new, empty log; the one before it stays beside it as `.1`. */
export const newLog = (path: string): Promise<FileHandle> =>
  onState("write", path, async () => {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    await rename(path, `${path}.1`).catch((error: unknown) =>
      codeOf(error) === "ENOENT" ? undefined : Promise.reject(error),
    );
    return open(path, "a", FILE_MODE);
  });

/** The last lines, for people. Empty when there is nothing. */
export async function tailOf(path: string): Promise<string> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return "";
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(Math.min(size, TAIL_BYTES)),
      0,
      Math.min(size, TAIL_BYTES),
      Math.max(0, size - TAIL_BYTES),
    );
    return buffer.subarray(0, bytesRead).toString("utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  } finally {
    await handle.close();
  }
}
