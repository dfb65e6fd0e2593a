import { mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { EXIT } from "../../errors/catalog.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { newKey } from "../../rehearsal/certificate/key.ts";
import type { CliIo, ExitStatus } from "../io.ts";
import { writePair } from "../files/keys.ts";
import { unwritable } from "../terminal/write-output.ts";

type Options = { readonly out?: string; readonly name?: string };

/** Makes the pair of keys that certificates are signed and believed with. Writes over nothing. */
export async function keys(io: CliIo, [action = ""]: readonly string[], options: Options): Promise<ExitStatus> {
  if (action !== "new") throw new UpgradeError("USAGE", `keys cannot ${action}`, { hint: "midflight keys new" });
  const name = options.name ?? "rehearsal";
  if (!NAME.test(name))
    throw new UpgradeError("USAGE", `"${name}" is no name of a key`, {
      hint: "use small letters, digits and single dashes, such as rehearsal-2026",
    });
  const dir = options.out ?? "keys";
  const [privateFile, publicFile] = [`${name}.pem`, `${name}.pub.json`].map((file) => join(dir, file)) as [
    string,
    string,
  ];
  const paths = { privateFile: resolve(io.cwd, privateFile), publicFile: resolve(io.cwd, publicFile) };
  for (const path of Object.values(paths)) if (existsSync(path)) throw isThere(path);
  const { privatePem, publicKey, id } = newKey();
  try {
    await makeFolder(resolve(io.cwd, dir));
    await writePair(paths, {
      privateText: privatePem,
      publicText: `${JSON.stringify({ midflight: 1, name, publicKey }, undefined, 2)}\n`,
    });
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === "EEXIST"
      ? isThere(paths.publicFile)
      : unwritable(paths.privateFile, cause);
  }
  io.print(`wrote ${privateFile}  the private half: it signs. Keep it where rehearsals run, and out of the repository`);
  io.print(`wrote ${publicFile}  the public half, key ${id}`);
  io.print(
    `\nTo believe what it signs, put its public half into the file of the production environment, relative to that file:\n  trusts: [${publicFile}]\nTo sign with it:\n  midflight rehearse PLAN --env demo --for production --key ${privateFile}`,
  );
  return EXIT.done;
}

/** Level by level: in a file system that makes no folders, such as /proc, the recursive call never ends. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path);
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const isThere = (path: string): UpgradeError =>
  new UpgradeError("FILE_EXISTS", `${path} is there already; nothing was written`, {
    hint: "choose another name with --name, or another folder with --out",
  });
