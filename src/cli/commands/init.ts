import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { INIT_FILES } from "../files/init-files.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { shippedPlans } from "../shipped.ts";
import { unwritable } from "../terminal/write-output.ts";

const SCHEMAS = ["plan.schema.json", "environment.schema.json", "releases.schema.json"];

/** Writes a first set of files: all of them, or none when one is there already. */
export async function init(io: CliIo, [dir = "."]: readonly string[]): Promise<ExitStatus> {
  const folder = resolve(io.cwd, dir);
  const schemas = await Promise.all(
    SCHEMAS.map(async (name): Promise<[string, string]> => [name, await readFile(join(shippedPlans(), name), "utf8")]),
  );
  const files = [...Object.entries(INIT_FILES), ...schemas];
  for (const [name] of files) if (existsSync(join(folder, name))) throw isThere(join(folder, name));
  for (const [name, text] of files) await write(join(folder, name), text);
  for (const name of Object.keys(INIT_FILES)) io.print(`wrote ${join(dir, name)}`);
  io.print(`\nNext:\n  midflight check ${quoted(join(dir, "plan.yaml"))} --env production`);
  return EXIT.done;
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

const isThere = (path: string): UpgradeError =>
  new UpgradeError("FILE_EXISTS", `${path} is there already; nothing was written`, {
    hint: "choose an empty folder: midflight init DIR",
  });

const quoted = (path: string): string => (/^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
