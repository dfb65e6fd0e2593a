import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const built = join(root, "dist/cli/main.js");

/** The real binary. Built first when dist is missing or older than what it is built from. */
export function midflightBinary(): string {
  if (!isFresh()) {
    const build = spawnSync(process.execPath, [join(root, "scripts/build.mjs")], { encoding: "utf8" });
    if (build.status !== 0) throw new Error(`dist cannot be built:\n${build.stdout}${build.stderr}`);
  }
  return join(root, "bin/midflight.js");
}

function isFresh(): boolean {
  if (!existsSync(built)) return false;
  const newest = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true }).reduce(
    (latest, entry) =>
      entry.isFile() ? Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs) : latest,
    0,
  );
  const chunks = readdirSync(join(root, "dist"), { recursive: true, withFileTypes: true }).reduce(
    (latest, entry) =>
      entry.isFile() ? Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs) : latest,
    0,
  );
  return chunks >= newest;
}
