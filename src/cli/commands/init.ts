import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { join, resolve } from "node:path";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { INIT_FILES } from "../init-files.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { plansUrl } from "./demo.ts";

const SCHEMAS = ["plan.schema.json", "environment.schema.json", "releases.schema.json"];

/** Writes a first set of files. Nothing that is there already is written over. */
export async function init(io: CliIo, [dir = "."]: readonly string[]): Promise<ExitStatus> {
  const folder = resolve(io.cwd, dir);
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw cannotWrite(folder, cause);
  });
  for (const [name, text] of Object.entries(INIT_FILES)) {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text, { flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "EEXIST") throw new UpgradeError("FILE_EXISTS", `${path} is there already`, { hint: "choose an empty folder: midflight init DIR" });
      throw cannotWrite(path, cause);
    });
    io.print(`wrote ${join(dir, name)}`);
  }
  for (const schema of SCHEMAS) await copyFile(join(fileURLToPath(plansUrl()), schema), join(folder, schema));
  io.print(`\nNext:\n  midflight check ${join(dir, "plan.yaml")} --env production`);
  return EXIT.done;
}

const cannotWrite = (path: string, cause: unknown): UpgradeError =>
  new UpgradeError("STATE_UNWRITABLE", `${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { hint: "choose a folder that this user may write to", cause });
