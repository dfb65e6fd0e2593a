import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Places } from "./places.ts";

/** What was chosen for a cluster when it was made. Written before anything is started. */
export type ClusterFacts = {
  readonly name: string;
  readonly hasNode: boolean;
  readonly regions: readonly string[];
  readonly ports: Readonly<Record<"etcd" | "peer" | "api" | "kubelet" | "kubeletHealth", number>>;
  readonly tokens: Readonly<Record<Identity, string>>;
  /** What was there before and is put back. */
  readonly before: { readonly ipForward: string };
};

/** Who speaks to the API server. */
export type Identity = "admin" | "controllers" | "scheduler" | "kubelet" | "proxy";

export const NODE = "node-1";
/** Benchmark addresses of RFC 2544: nobody routes them. */
export const POD_SUBNET = "198.18.0.0/22";
export const NODE_IP = "198.18.0.1";
export const SERVICE_SUBNET = "198.19.0.0/16";
export const BRIDGE = "mf-cluster0";

export async function chooseFacts(
  name: string,
  hasNode: boolean,
  regions: readonly string[],
): Promise<ClusterFacts> {
  const [etcd = 0, peer = 0, api = 0, kubelet = 0, kubeletHealth = 0] = await freePorts(5);
  const token = (): string => randomBytes(24).toString("hex");
  return {
    name,
    hasNode,
    regions,
    ports: { etcd, peer, api, kubelet, kubeletHealth },
    tokens: { admin: token(), controllers: token(), scheduler: token(), kubelet: token(), proxy: token() },
    before: { ipForward: (await readFile("/proc/sys/net/ipv4/ip_forward", "utf8").catch(() => "1")).trim() },
  };
}

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
const freePorts = async (count: number): Promise<readonly number[]> => {
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
