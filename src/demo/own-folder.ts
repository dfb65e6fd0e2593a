import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UpgradeError } from "../errors/upgrade-error.ts";

const MARK = ".midflight-story";

/** Only a folder that an earlier telling made is taken away. */
export async function clearOwn(dir: string): Promise<void> {
  if (existsSync(dir) && !existsSync(join(dir, MARK))) {
    throw new UpgradeError("FILE_EXISTS", `${dir} is there already, and no demo made it`, {
      hint: "choose another folder with --dir",
    });
  }
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, MARK), "");
}
