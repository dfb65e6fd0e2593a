import { messageOf } from "../../errors/message-of.ts";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Shelf } from "../../ports/shelf.ts";
import { ensureFolder, replaceFile } from "./durable.ts";

/** Documents in files below a folder. */
export const fileShelf = (dir: string): Shelf => ({
  async put(name, text) {
    const path = join(dir, name);
    try {
      await ensureFolder(dirname(path));
      await replaceFile(path, text);
    } catch (cause) {
      throw new UpgradeError("OUTPUT_UNWRITABLE", `${path} cannot be written: ${messageOf(cause)}`, {
        hint: "choose a place that this user may write to, on a disk with room",
        cause,
      });
    }
  },
  get: (name) => readFile(join(dir, name), "utf8").catch(() => undefined),
  list: async (folder) => {
    const names = await readdir(join(dir, folder)).catch((): string[] => []);
    return names.toSorted((a, b) => (a < b ? 1 : -1));
  },
  pathOf: (name) => join(dir, name),
});
