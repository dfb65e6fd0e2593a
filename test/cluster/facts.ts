import { randomBytes } from "node:crypto";
import { access, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Places } from "./places.ts";

/** What was chosen for a cluster when it was made. Written before anything is started. */
export type ClusterFacts = {
  readonly name: string;
  readonly hasNode: boolean;
  readonly regions: readonly string[];
  readonly ports: Readonly<Record<Port, number>>;
  readonly tokens: Readonly<Record<Identity, string>>;
  /** Settings of the kernel that the parts change: as they were, and as they are put back. */
  readonly before: Readonly<Record<string, string>>;
  /** Folders at fixed places that were not there, and that the parts make. */
  readonly strays: readonly string[];
};

type Port = "etcd" | "peer" | "api" | "kubelet" | "kubeletHealth" | "proxyHealth" | "proxyMetrics";

/** Who speaks to the API server. */
export type Identity = "admin" | "controllers" | "scheduler" | "kubelet" | "proxy";

export const NODE = "node-1";
/** Benchmark addresses of RFC 2544: nobody routes them. */
export const POD_SUBNET = "198.18.0.0/22";
export const NODE_IP = "198.18.0.1";
export const SERVICE_SUBNET = "198.19.0.0/16";
export const BRIDGE = "mf-cluster0";

export async function chooseFacts(name: string, hasNode: boolean, regions: readonly string[]): Promise<ClusterFacts> {
  const [etcd = 0, peer = 0, api = 0, kubelet = 0, kubeletHealth = 0, proxyHealth = 0, proxyMetrics = 0] =
    await freePorts(7);
  const token = (): string => randomBytes(24).toString("hex");
  return {
    name,
    hasNode,
    regions,
    ports: { etcd, peer, api, kubelet, kubeletHealth, proxyHealth, proxyMetrics },
    tokens: { admin: token(), controllers: token(), scheduler: token(), kubelet: token(), proxy: token() },
    before: hasNode ? await settings() : {},
    strays: hasNode ? await strays() : [],
  };
}

/** What the bridge, the kubelet and kube-proxy write. */
const SETTINGS = [
  "net/ipv4/ip_forward",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
] as const;

const settings = async (): Promise<Readonly<Record<string, string>>> => {
  const found: Record<string, string> = {};
  for (const name of SETTINGS) {
    const value = await readFile(`/proc/sys/${name}`, "utf8").catch(() => undefined);
    if (value !== undefined) found[name] = value.trim();
  }
  return found;
};

/** The kubelet's and the network plugins' own, whatever folder they are told to use. */
const STRAYS = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/containers"] as const;

const strays = async (): Promise<readonly string[]> => {
  const absent: string[] = [];
  for (const path of STRAYS)
    await access(path).catch(() => {
      absent.push(path);
    });
  return absent;
};

export async function readFacts(places: Places): Promise<ClusterFacts | undefined> {
  try {
    return JSON.parse(await readFile(join(places.dir, "cluster.json"), "utf8")) as ClusterFacts;
  } catch {
    return undefined;
  }
}

export const writeFacts = (places: Places, facts: ClusterFacts): Promise<void> =>
  writeFile(join(places.dir, "cluster.json"), `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 });

export const apiUrl = ({ ports }: ClusterFacts): string => `https://127.0.0.1:${ports.api}`;

// All are held until all are known: two of them must not be the same.
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
};
