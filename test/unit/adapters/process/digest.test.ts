import { chmod, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { digestOfFolder } from "../../../../src/adapters/process/digest.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight-digest-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function release(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(dir, name);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(path, file, ".."), { recursive: true });
    await writeFile(join(path, file), text);
    await chmod(join(path, file), 0o644);
  }
  return path;
}
const FILES = { "main.js": "run()", "lib/a.js": "a", "lib-b.js": "b", "ünï.txt": "ü" };

test("the same files give the same digest wherever they lie and whenever they were written", async () => {
  const [one, other] = [
    await release("one", FILES),
    await release("an other place", Object.fromEntries(Object.entries(FILES).toReversed())),
  ];
  await utimes(join(other, "main.js"), 1, 1);
  await mkdir(join(other, "empty"));
  expect(await digestOfFolder(one)).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await digestOfFolder(other)).toBe(await digestOfFolder(one));
});

test("the digest of a known folder never changes: releases.yaml files in the world depend on it", async () => {
  expect(await digestOfFolder(await release("known", { "main.js": "run()", "lib/a.js": "a" }))).toBe(
    "sha256:05a7446be8cece520b90a638b5b99fbfc122b0fc9d84c3a118e3c1baf5903572",
  );
});

test.each([
  { name: "a byte", change: (path: string) => writeFile(join(path, "main.js"), "run();") },
  { name: "a mode", change: (path: string) => chmod(join(path, "main.js"), 0o755) },
  { name: "a name", change: (path: string) => rename(join(path, "main.js"), join(path, "main.mjs")) },
  { name: "a place", change: (path: string) => rename(join(path, "lib-b.js"), join(path, "lib", "b.js")) },
  { name: "a file more", change: (path: string) => writeFile(join(path, "more"), "") },
  { name: "a file less", change: (path: string) => rm(join(path, "lib-b.js")) },
])("$name makes another release of it", async ({ change }) => {
  const path = await release("one", FILES);
  const before = await digestOfFolder(path);
  await change(path);
  expect(await digestOfFolder(path)).not.toBe(before);
});

test("a link is refused: what it points to can change unseen", async () => {
  const path = await release("one", FILES);
  await symlink("/etc/hostname", join(path, "lib", "link"));
  await expect(digestOfFolder(path)).rejects.toThrow("lib/link is neither a file nor a folder");
});

test("a folder that is not there is no release", async () => {
  await expect(digestOfFolder(join(dir, "nothing"))).rejects.toThrow("ENOENT");
});
