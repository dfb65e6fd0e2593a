import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { attempt, run } from "./commands.ts";

type Need = { readonly program: string; readonly package: string; readonly for: "build" | "node" };

const NEEDS: readonly Need[] = [
  { program: "containerd", package: "containerd", for: "node" },
  { program: "ctr", package: "containerd", for: "node" },
  { program: "runc", package: "runc", for: "node" },
  { program: "iptables", package: "iptables", for: "node" },
  { program: "nft", package: "nftables", for: "node" },
  { program: "ip", package: "iproute2", for: "node" },
  { program: "tar", package: "tar", for: "node" },
];
const CNI = "/usr/lib/cni/bridge";

/** What keeps a cluster from being made here, a sentence each with what to do. */
export async function missing(options: {
  readonly hasNode: boolean;
  readonly isBuilt: boolean;
}): Promise<readonly string[]> {
  const reasons: string[] = [];
  if (process.platform !== "linux")
    return ["a real cluster can be made on Linux only; set KUBECONFIG to one elsewhere"];
  if (options.hasNode && process.getuid?.() !== 0)
    reasons.push("a kubelet with real pods needs root: run it as root, or set KUBECONFIG to a cluster that is there");
  const packages = await missingPackages(options);
  if (packages.length > 0)
    reasons.push(
      `programs are missing; as root: apt-get install --no-install-recommends ${packages.join(" ")} (or give --install)`,
    );
  if (!options.isBuilt && (await versionOfGo()) === undefined)
    reasons.push("Go 1.24 or later is needed once, to build the cluster's binary: install it from https://go.dev/dl");
  return reasons;
}

/** As root, on Debian and its relatives. */
export async function install(options: { readonly hasNode: boolean; readonly isBuilt: boolean }): Promise<void> {
  const packages = await missingPackages(options);
  if (packages.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-q"], { env, timeoutMs: 300_000 });
  await run("apt-get", ["install", "-qy", "--no-install-recommends", ...packages], { env, timeoutMs: 600_000 });
}

const missingPackages = async (options: { readonly hasNode: boolean }): Promise<readonly string[]> => {
  if (!options.hasNode) return [];
  const packages = new Set<string>();
  for (const need of NEEDS) if (!(await isThere(need.program))) packages.add(need.package);
  if (!(await isExecutable(CNI))) packages.add("containernetworking-plugins");
  return [...packages];
};

const versionOfGo = async (): Promise<string | undefined> => {
  const text = await attempt("go", ["version"]);
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(text) ?? [];
  return Number(major) > 1 || Number(minor) >= 24 ? `${major}.${minor}` : undefined;
};

const SYSTEM_DIRS = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const isThere = async (program: string): Promise<boolean> => {
  const dirs = new Set([...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_DIRS]);
  for (const dir of dirs) if (dir !== "" && (await isExecutable(join(dir, program)))) return true;
  return false;
};

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
