import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureFolder, replaceFile } from "../adapters/file/durable.ts";
import { readRehearsal, type Rehearsal } from "../rehearsal/rehearsal.ts";
import { unwritable } from "./write-output.ts";

/** Where the rehearsals of an environment are kept: `<state>/rehearsals/<id>/rehearsal.json` and its reports. */
export const rehearsalsDir = (stateDir: string): string => join(stateDir, "rehearsals");

export const KEPT = "rehearsal.json";

/** Writes a file whole or not at all, and has it on disk. Rejects `OUTPUT_UNWRITABLE`. */
export async function keepFile(path: string, text: string): Promise<void> {
  try {
    await ensureFolder(dirname(path));
    await replaceFile(path, text);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** The newest kept rehearsal that fits, with its folder. */
export async function findRehearsal(
  stateDir: string,
  fits: (rehearsal: Rehearsal) => boolean,
): Promise<{ readonly dir: string; readonly rehearsal: Rehearsal } | undefined> {
  const root = rehearsalsDir(stateDir);
  const names = (await readdir(root).catch(() => [])).toSorted().toReversed();
  for (const name of names) {
    const text = await readFile(join(root, name, KEPT), "utf8").catch(() => "");
    const rehearsal = readRehearsal(text);
    if (rehearsal !== undefined && fits(rehearsal)) return { dir: join(root, name), rehearsal };
  }
  return undefined;
}
