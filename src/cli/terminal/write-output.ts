import { messageOf } from "../../errors/message-of.ts";
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { CliIo } from "../io.ts";

/** Writes what a command was asked to put into a file. Rejects `OUTPUT_UNWRITABLE`. */
export async function writeOutput(io: CliIo, file: string, text: string): Promise<void> {
  const path = resolve(io.cwd, file);
  await writeFile(path, `${text}\n`).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
}

export const unwritable = (path: string, cause: unknown): UpgradeError =>
  new UpgradeError("OUTPUT_UNWRITABLE", `${path} cannot be written: ${messageOf(cause)}`, {
    hint: "choose a place that this user may write to, on a disk with room",
    cause,
  });
