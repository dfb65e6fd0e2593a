import { readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt, pause } from "./commands.ts";
import { BRIDGE, type ClusterFacts } from "./facts.ts";
import type { Places } from "./places.ts";
import { partsOf, SHIM, stop } from "./processes.ts";

/** Ends pods, also where containerd died before them: what runs is written in their bundles. */
export async function clearPods(places: Places): Promise<void> {
  const bundles = join(places.dir, "containerd-state", "io.containerd.runtime.v2.task", "k8s.io");
  for (const id of await readdir(bundles).catch(() => [])) {
    const pid = Number(await readFile(join(bundles, id, "init.pid"), "utf8").catch(() => ""));
    await endContainer(pid, id);
    for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, OF_NOBODY, id));
    for (const name of await readdir(NETWORKS).catch(() => []))
      if (name.includes(id)) await rm(join(NETWORKS, name), { force: true });
  }
  for (const shim of await partsOf(places)) if (shim.part === SHIM) await stop(shim, 1_000);
}

/** Control group of the containers of a kubelet that keeps none for pods. */
const OF_NOBODY = "k8s.io";
/** Where the network plugins remember what they gave to a pod. */
const NETWORKS = "/var/lib/cni/results";

/** The first process of a container takes the others with it. Its control group bears the container's name: a number that was given away again is spared. */
async function endContainer(pid: number, id: string): Promise<void> {
  for (let turn = 1; turn <= 100; turn += 1) {
    const groups = pid > 1 ? await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "") : "";
    if (!groups.includes(id)) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      return;
    }
    await pause(20);
  }
}

/** What the node left in the kernel: mounts below its folder, its bridge, kube-proxy's tables, empty control groups, settings, folders. */
export async function clearKernel(places: Places, { before, strays }: ClusterFacts): Promise<void> {
  for (const mount of await mountsBelow(places.dir)) await attempt("umount", ["--lazy", mount]);
  await attempt("ip", ["link", "delete", BRIDGE]);
  for (const family of ["ip", "ip6"]) await attempt("nft", ["delete", "table", family, "kube-proxy"]);
  await removeGroups();
  for (const [name, value] of Object.entries(before))
    await writeFile(`/proc/sys/${name}`, value).catch(() => undefined);
  for (const path of strays) await rm(path, { recursive: true, force: true });
}

export const mountsBelow = async (dir: string): Promise<readonly string[]> =>
  (await readFile("/proc/self/mountinfo", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((mount) => mount.startsWith(`${dir}/`))
    .toReversed();

// Groups with processes cannot be removed, and are not ours then.
const removeGroups = async (): Promise<void> => {
  for (const hierarchy of await hierarchies()) {
    await removeTree(join(hierarchy, "kubepods"));
    await rmdir(join(hierarchy, OF_NOBODY)).catch(() => undefined);
  }
};

const GROUPS = "/sys/fs/cgroup";
const hierarchies = async (): Promise<readonly string[]> => [
  GROUPS,
  ...(await readdir(GROUPS).catch(() => [])).map((name) => join(GROUPS, name)),
];

const removeTree = async (dir: string): Promise<void> => {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  await rmdir(dir).catch(() => undefined);
};
