import { createHash } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { run } from "./commands.ts";
import type { Places } from "./places.ts";

/** An image made from files of this machine, without a builder and without a registry. */
export type ImageRecipe = {
  /** `localhost/echo:1`. */
  readonly tag: string;
  /** Path in the image → file or folder here. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  /** Put this process' own Node, with the libraries it needs, to `/usr/bin/node`. */
  readonly hasNode?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDir?: string;
};

/**
 * Makes the image and hands it to the cluster's containerd. Resolves with its digest, by which it can be pinned too. One that was made of the same
 * files before is there already: a hundred megabytes of Node are not packed again for every file of tests.
 */
export async function loadImage(places: Places, recipe: ImageRecipe): Promise<string> {
  const known = await knownFile(places, recipe);
  const digest = known === undefined ? undefined : await readFile(known, "utf8").catch(() => undefined);
  if (digest !== undefined) return digest;
  const made = await importImage(places, recipe);
  if (known !== undefined) {
    await mkdir(dirname(known), { recursive: true });
    await writeFile(known, made);
  }
  return made;
}

/** Where the digest is kept of an image that was loaded: a name by everything that is in it. Undefined where a folder is in it. */
async function knownFile(places: Places, recipe: ImageRecipe): Promise<string | undefined> {
  const sources = Object.values(recipe.files);
  for (const source of sources) if ((await stat(source)).isDirectory()) return undefined;
  const bytes = await Promise.all(sources.map(async (source) => sha256(await readFile(source))));
  const content = JSON.stringify([recipe, bytes, recipe.hasNode === true ? [process.execPath, process.version] : []]);
  return join(places.dir, "images", sha256(Buffer.from(content)));
}

async function importImage(places: Places, recipe: ImageRecipe): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "midflight-image-"));
  try {
    const root = join(dir, "root");
    await mkdir(root);
    for (const [target, source] of Object.entries(recipe.files)) await place(root, target, source);
    if (recipe.hasNode === true) await placeNode(root);
    const layer = join(dir, "layer.tar");
    await run("tar", [
      "--sort=name",
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--mtime=@0",
      "-C",
      root,
      "-cf",
      layer,
      ".",
    ]);
    const diffId = `sha256:${sha256(await readFile(layer))}`;
    const config = JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: {
        Entrypoint: recipe.entrypoint,
        ...(recipe.user === undefined ? {} : { User: recipe.user }),
        ...(recipe.workingDir === undefined ? {} : { WorkingDir: recipe.workingDir }),
        Env: ["PATH=/usr/bin:/bin", ...Object.entries(recipe.env ?? {}).map(([key, value]) => `${key}=${value}`)],
      },
      rootfs: { type: "layers", diff_ids: [diffId] },
      history: [{ created_by: "midflight test/cluster" }],
    });
    const configName = `${sha256(Buffer.from(config))}.json`;
    await writeFile(join(dir, configName), config);
    await writeFile(
      join(dir, "manifest.json"),
      JSON.stringify([{ Config: configName, RepoTags: [recipe.tag], Layers: ["layer.tar"] }]),
    );
    const archive = join(dir, "image.tar");
    await run("tar", ["-C", dir, "-cf", archive, "manifest.json", configName, "layer.tar"]);
    await ctr(
      places,
      ["images", "import", "--digests", "--base-name", recipe.tag.replace(/:[^:/]*$/, ""), archive],
      120_000,
    );
    const listed = await ctr(places, ["images", "list", `name==${recipe.tag}`]);
    const digest = /sha256:[0-9a-f]{64}/.exec(listed)?.[0];
    if (digest === undefined)
      throw new Error(`${recipe.tag} was imported, and is not in the list of images: ${listed}`);
    return digest;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

export const ctr = (places: Places, args: readonly string[], timeoutMs?: number): Promise<string> =>
  run(
    "ctr",
    ["--address", places.socket, "--namespace", "k8s.io", ...args],
    timeoutMs === undefined ? {} : { timeoutMs },
  );

const place = async (root: string, target: string, source: string): Promise<void> => {
  await mkdir(dirname(join(root, target)), { recursive: true });
  await cp(source, join(root, target), { recursive: true, dereference: true });
};

/** A Node program is dynamically linked to a handful of libraries of the system. */
const placeNode = async (root: string): Promise<void> => {
  await place(root, "usr/bin/node", process.execPath);
  await chmod(join(root, "usr/bin/node"), 0o755);
  const linked = await run("ldd", [process.execPath]);
  for (const line of linked.split("\n")) {
    const [, path] = /(?:=>\s+)?(\/\S+)\s+\(0x/.exec(line) ?? [];
    if (path === undefined) continue;
    await place(root, join("lib", basename(path)), path);
    // The loader is named by its full path in the program's head.
    if (basename(path).startsWith("ld-linux")) await place(root, path.slice(1), path);
  }
  await symlink("lib", join(root, "lib64")).catch(() => undefined);
  await mkdir(join(root, "tmp"), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);
};

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
