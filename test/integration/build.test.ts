import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { midflightBinary } from "../support/build.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A checkout without dist and without git. */
async function checkout(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "midflight-build-"));
  folders.push(folder);
  for (const name of ["src", "scripts", "bin", "package.json"])
    await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

const build = (folder: string, umask: string): Promise<{ readonly stdout: string }> =>
  promisify(execFile)("sh", [
    "-c",
    `umask ${umask} && exec "$0" "$1"`,
    process.execPath,
    join(folder, "scripts/build.mjs"),
  ]);

/** Paths, modes and bytes. */
async function digest(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).toSorted();
  const sum = createHash("sha256");
  for (const name of names) {
    const stat = await lstat(join(folder, name));
    sum.update(`${name} ${(stat.mode & 0o7777).toString(8)}\n`);
    if (stat.isFile()) sum.update(await readFile(join(folder, name)));
  }
  return sum.digest("hex");
}

test(
  "the same sources build the same releases, whatever the umask and however often",
  // Three builds, beside other tests.
  { timeout: 240_000 },
  async () => {
    const [one, other] = [await checkout(), await checkout()];
    const { stdout } = await build(one, "077");
    expect(stdout).toMatch(/^built dist: \d+ files, \d+ kB, in \d+ ms\n$/);
    await build(other, "000");
    const first = await digest(join(one, "dist"));
    expect(await digest(join(other, "dist"))).toBe(first);

    await writeFile(join(one, "dist/left-over.js"), "");
    await mkdir(join(one, "dist/old-folder"));
    await build(one, "022");
    expect(await digest(join(one, "dist"))).toBe(first);
    for (const version of ["1.0", "2.0", "2.1", "2.2"]) {
      expect((await readdir(join(one, "dist/releases", `gateway-${version}`))).toSorted()).toEqual([
        "main.js",
        "statements.json",
      ]);
    }
  },
);

/** All that a file of dist loads as it starts: what is imported on demand is left out. */
async function loadedBy(path: string, known: Map<string, string> = new Map()): Promise<ReadonlyMap<string, string>> {
  if (known.has(path)) return known;
  const text = await readFile(path, "utf8");
  known.set(path, text);
  for (const [, from = ""] of text.matchAll(/^(?:import|export)[^;'"]*?["'](\.[^"']+)["'];$/gm))
    await loadedBy(join(dirname(path), from), known);
  return known;
}

test("a conductor loads the Kubernetes client's kubeconfig without its models, and its guard no schemas", async () => {
  const dist = join(dirname(midflightBinary()), "../dist");
  const chunks = (await readdir(join(dist, "chunks"))).map((name) => join(dist, "chunks", name));
  const texts = await Promise.all(chunks.map((path) => readFile(path, "utf8")));
  expect(texts.filter((text) => text.includes("loadFromClusterAndUser"))).toHaveLength(1);
  expect(texts.filter((text) => text.includes("V1PodTemplateSpec"))).toEqual([]);

  const guard = [...(await loadedBy(join(dist, "guard-thread.js"))).values()];
  expect(guard.length).toBeGreaterThan(3);
  expect(guard.filter((text) => text.includes("ZodType"))).toEqual([]);
});

describe("bin/midflight.js says in one sentence what is missing", () => {
  const start = (folder: string, pretend: string): ReturnType<typeof spawnSync> =>
    spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`, join(folder, "bin/midflight.js")],
      { encoding: "utf8" },
    );
  const asNode = (version: string): string =>
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`;

  test.each([
    { name: "Node", pretend: asNode("20.20.2"), status: 3, says: /^midflight needs Node 22\.19 or newer, .*\n$/ },
    {
      name: "Node, almost",
      pretend: asNode("22.18.9"),
      status: 3,
      says: /^midflight needs Node 22\.19 or newer, .*\n$/,
    },
    {
      name: "a system that it runs on",
      pretend: 'Object.defineProperty(process, "platform", { value: "win32" });',
      status: 3,
      says: /^midflight runs on Linux and macOS, not on Windows.*\n$/,
    },
    {
      name: "the build",
      pretend: "",
      status: 5,
      says: /^midflight is not built: run `npm run build` in its folder\.\n$/,
    },
  ])("$name", async ({ pretend, status, says }) => {
    const folder = await mkdtemp(join(tmpdir(), "midflight-bin-"));
    folders.push(folder);
    await cp(join(root, "bin"), join(folder, "bin"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const { status: exit, stderr, stdout } = start(folder, pretend);
    expect({ exit, stdout }).toEqual({ exit: status, stdout: "" });
    expect(stderr).toMatch(says);
  });
});
