import { createHash } from "node:crypto";
import { access, copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../commands.ts";
import { lock } from "../lock.ts";

/** A gateway of the Gateway API, as a program for this machine, and the definitions of the objects that it reads. */
export type GatewayBinary = { readonly program: string; readonly crds: readonly string[] };

const SOURCE_DIR = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = "github.com/traefik/traefik/v3/cmd/traefik";
const CRDS = ["gatewayclasses", "gateways", "httproutes", "grpcroutes", "referencegrants", "backendtlspolicies"];
const MOST_MS = 60 * 60_000;
const ENV = { CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };

/** Outside the checkout; other sources are another folder. */
async function cacheDir(): Promise<string> {
  const hash = createHash("sha256");
  for (const name of ["go.mod", "go.sum"]) hash.update(name).update(await readFile(join(SOURCE_DIR, name)));
  const root = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return join(root, "midflight", "gateway", hash.digest("hex").slice(0, 16));
}

const binaryIn = (dir: string): GatewayBinary => ({
  program: join(dir, "traefik"),
  crds: CRDS.map((name) => join(dir, `gateway.networking.k8s.io_${name}.yaml`)),
});

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Undefined where nobody built it yet: that takes eight minutes of processor time, so a test does not do it by itself. */
export async function findGateway(): Promise<GatewayBinary | undefined> {
  const dir = await cacheDir();
  return (await isThere(join(dir, "finished"))) ? binaryIn(dir) : undefined;
}

/** Built once for a machine. */
export async function buildGateway(say: (line: string) => void): Promise<GatewayBinary> {
  const dir = await cacheDir();
  await mkdir(dir, { recursive: true });
  const unlock = await lock(dir, () => say("somebody builds it already; waiting for it"));
  try {
    const binary = binaryIn(dir);
    if (!(await isThere(binary.program))) await buildProgram(binary.program, say);
    await copyCrds(binary);
    await writeFile(join(dir, "finished"), `${new Date().toISOString()}\n`);
    say(`built: ${dir}`);
    return binary;
  } finally {
    await unlock();
  }
}

async function buildProgram(program: string, say: (line: string) => void): Promise<void> {
  say("building Traefik v3.6.12 from its modules: once, about eight minutes of processor time");
  const args = ["build", "-ldflags", "-s -w", "-o", `${program}.new`, PACKAGE];
  await run("go", args, { cwd: SOURCE_DIR, env: { ...process.env, ...ENV }, timeoutMs: MOST_MS });
  await rename(`${program}.new`, program);
}

/** The definitions come with the module of the API's types that the program was built from. */
async function copyCrds({ crds }: GatewayBinary): Promise<void> {
  const how = { cwd: SOURCE_DIR, env: { ...process.env, ...ENV }, timeoutMs: MOST_MS };
  const said = await run("go", ["mod", "download", "-json", "sigs.k8s.io/gateway-api"], how);
  const { Dir: module } = JSON.parse(said) as { readonly Dir: string };
  for (const file of crds) await copyFile(join(module, "config/crd/standard", file.split("/").at(-1) ?? ""), file);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await buildGateway((line) => void process.stderr.write(`${line}\n`));
