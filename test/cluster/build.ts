import { access, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./commands.ts";
import { lock } from "./lock.ts";
import { cacheDir, SOURCE_DIR } from "./places.ts";

export const PARTS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
] as const;

export type Binaries = { readonly dir: string; readonly pause: string };

const FLAGS = [
  "-s -w",
  "-X k8s.io/component-base/version.gitVersion=v1.34.4",
  "-X k8s.io/component-base/version.gitMajor=1",
  "-X k8s.io/component-base/version.gitMinor=34",
].join(" ");
const MOST_MS = 45 * 60_000;

export const isBuilt = async (): Promise<boolean> => isFinished(await cacheDir());

/** The cluster's programs, built once for a machine. Two who come at the same time build once. */
export async function binaries(say: (line: string) => void): Promise<Binaries> {
  const dir = await cacheDir();
  const built = { dir: join(dir, "bin"), pause: join(dir, "pause") };
  if (await isFinished(dir)) return built;
  const unlock = await lock(dir, () => say("somebody builds it already; waiting for it"));
  try {
    if (!(await isFinished(dir))) await build(dir, say);
    return built;
  } finally {
    await unlock();
  }
}

async function build(dir: string, say: (line: string) => void): Promise<void> {
  say("building Kubernetes v1.34.4 and etcd v3.6.4 from their modules: once, four to fifteen minutes on two cores");
  const from = Date.now();
  const ticker = setInterval(() => say(`still building, ${Math.round((Date.now() - from) / 1000)} s so far`), 30_000);
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod -trimpath" };
  try {
    await run("go", ["build", "-ldflags", FLAGS, "-o", join(dir, "cluster.new"), "."], {
      cwd: SOURCE_DIR,
      env,
      timeoutMs: MOST_MS,
    });
    await run("go", ["build", "-ldflags", "-s -w", "-o", join(dir, "pause"), "./pause"], {
      cwd: SOURCE_DIR,
      env,
      timeoutMs: MOST_MS,
    });
  } finally {
    clearInterval(ticker);
  }
  await rename(join(dir, "cluster.new"), join(dir, "cluster"));
  await rm(join(dir, "bin"), { recursive: true, force: true });
  await mkdir(join(dir, "bin"));
  for (const part of PARTS) await symlink("../cluster", join(dir, "bin", part));
  await writeFile(join(dir, "finished"), `${new Date().toISOString()}\n`);
  say(`built in ${Math.round((Date.now() - from) / 1000)} s: ${dir}`);
}

const isFinished = (dir: string): Promise<boolean> =>
  access(join(dir, "finished")).then(
    () => true,
    () => false,
  );
