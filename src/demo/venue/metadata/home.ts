import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { guardFolder } from "../guardian.ts";
import type { Identity } from "./identity.ts";
import { runToEnd } from "./run-to-end.ts";

/** A folder of the server's own. It goes with this process, however that ends. */
export type Home = { readonly path: string; remove(): void };

/**
 * Makes a folder that `who` can enter: in `dir` if that is possible, else in a folder for temporary files.
 * Rejects: `POSTGRES_NO_USER`, and the file system's error if nothing can be written.
 */
export const makeHome = async (dir: string, who: Identity): Promise<Home> => {
  mkdirSync(dir, { recursive: true });
  const bases = [dir, tmpdir(), "/tmp", "/var/tmp"];
  for (const base of bases) {
    const home = tryHome(base, who);
    if (home === undefined) continue;
    const { code } = await runToEnd(["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", home.path], who, 5_000);
    if (code === 0) return home;
    home.remove();
  }
  throw new UpgradeError(
    "POSTGRES_NO_USER",
    `the user ${who.name}, as whom root must run PostgreSQL, can enter none of ${bases.join(", ")}`,
    {
      hint: "point TMPDIR at a folder that everybody may enter, or run midflight as an ordinary user",
    },
  );
};

const tryHome = (base: string, who: Identity): Home | undefined => {
  const path = makeIn(base, who.uid === undefined);
  if (path === undefined) return undefined;
  if (who.uid !== undefined && who.gid !== undefined) chownSync(path, who.uid, who.gid);
  chmodSync(path, 0o700);
  const release = guardFolder(path);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      release();
    },
  };
};

// An ordinary user is told why its own folder does not serve; root goes on looking.
const makeIn = (base: string, isOwn: boolean): string | undefined => {
  try {
    return mkdtempSync(join(base, "postgres-"));
  } catch (error) {
    if (isOwn) throw error;
    return undefined;
  }
};
