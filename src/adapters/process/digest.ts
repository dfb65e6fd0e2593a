import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * `sha256:<64 hex>` over the files below a folder, sorted by the bytes of their path: path, mode & 0o777 and bytes of each.
 * Where the folder lies, when it was written and who owns it do not count; empty folders do not either.
 * Rejects when something in it is neither a file nor a folder: what a link points to can change unseen.
 */
export async function digestOfFolder(path: string): Promise<string> {
  const hash = createHash("sha256");
  const files = await filesBelow(path, "");
  for (const file of files.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))))
    await addFile(hash, path, file);
  return `sha256:${hash.digest("hex")}`;
}

type File = { readonly name: string; readonly mode: number };

async function filesBelow(root: string, folder: string): Promise<readonly File[]> {
  const names = await readdir(join(root, folder));
  const found = await Promise.all(names.map((name) => one(root, folder === "" ? name : `${folder}/${name}`)));
  return found.flat();
}

async function one(root: string, name: string): Promise<readonly File[]> {
  const stat = await lstat(join(root, name));
  if (stat.isDirectory()) return filesBelow(root, name);
  if (!stat.isFile()) throw new Error(`${name} is neither a file nor a folder`);
  return [{ name, mode: stat.mode & 0o777 }];
}

/** Lengths stand before what they measure, so that no two folders read as the same bytes. */
async function addFile(hash: Hash, root: string, { name, mode }: File): Promise<void> {
  const content = createHash("sha256");
  for await (const chunk of createReadStream(join(root, name)) as AsyncIterable<Buffer>) content.update(chunk);
  hash.update(`${Buffer.byteLength(name)} ${name} ${mode.toString(8)} ${content.digest("hex")}\n`);
}
