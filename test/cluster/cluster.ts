import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { apiAt } from "./api.ts";
import { binaries, isBuilt } from "./build.ts";
import { startControlPlane } from "./control-plane.ts";
import { apiUrl, chooseFacts, readFacts, writeFacts, type ClusterFacts } from "./facts.ts";
import { caOf } from "./kubeconfig.ts";
import { lock } from "./lock.ts";
import { install, missing } from "./needs.ts";
import { clearKernel, clearPods } from "./clear.ts";
import { isNodeReady, startNode } from "./node.ts";
import { secondOf } from "./second-node.ts";
import { placesOf, type Places } from "./places.ts";
import { isAlive, partsOf, recorded, stop } from "./processes.ts";

export type UpOptions = {
  readonly places: Places;
  readonly regions: readonly string[];
  readonly hasNode: boolean;
  readonly mayInstall: boolean;
  readonly say: (line: string) => void;
};

/** Why no cluster can be made here. */
export class Unable extends Error {}

/** Makes a real cluster, or finds the one that is there. Resolves when it is ready. Rejects `Unable` when it cannot be. */
export async function up(options: UpOptions): Promise<ClusterFacts> {
  const { places, say } = options;
  return alone(
    places,
    () => say(`somebody brings a cluster up or down already; waiting`),
    () => make(options),
  );
}

async function make({ places, regions, hasNode, mayInstall, say }: UpOptions): Promise<ClusterFacts> {
  if ((await status(places)).isReady) {
    const facts = await readFacts(places);
    if (facts !== undefined) return facts;
  }
  await clear(places);
  const needs = { hasNode, isBuilt: await isBuilt() };
  if (mayInstall && process.getuid?.() === 0) await install(needs).catch(unable("packages could not be installed"));
  const reasons = await missing(needs);
  if (reasons.length > 0) throw new Unable(reasons.join("\n"));
  const neighbour = hasNode ? await otherWithNode(places) : undefined;
  if (neighbour !== undefined)
    throw new Unable(
      `the cluster ${neighbour} has a node on this machine, and their network rules would meet: take it down, or give --control-plane-only`,
    );
  const built = await binaries(say).catch(unable("its binary could not be built"));
  await mkdir(places.dir, { recursive: true, mode: 0o700 });
  const facts = await chooseFacts(places.name, hasNode, regions);
  await writeFacts(places, facts);
  try {
    const api = await startControlPlane(places, facts, built);
    try {
      if (hasNode) await startNode(places, facts, built, api);
    } finally {
      api.close();
    }
  } catch (error) {
    say(`it did not come up; its logs are in ${places.logs}`);
    throw error;
  }
  return facts;
}

/** Packages and modules come from elsewhere: where they cannot be had, no cluster can be made here. */
const unable =
  (what: string) =>
  (error: unknown): never => {
    throw new Unable(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  };

/** Ends everything of it and removes what it left, whatever state it is in. */
export const down = (places: Places): Promise<void> =>
  alone(
    places,
    () => {},
    () => clear(places),
  );

async function clear(places: Places): Promise<void> {
  const facts = await readFacts(places);
  const all = await partsOf(places);
  const ends = async (parts: readonly string[]): Promise<void> => {
    for (const part of parts) for (const one of all.filter((other) => other.part === part)) await stop(one);
  };
  // The kubelet first: it would start again what is ended below it.
  await ends(["kubelet", "kube-proxy"]);
  if (facts?.hasNode === true) for (const node of [secondOf(places), places]) await clearPods(node);
  await ends(["containerd", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"]);
  // Without a node of its own there may be another cluster's.
  if (facts?.hasNode === true) await clearKernel(places, facts);
  await rm(places.dir, { recursive: true, force: true });
}

/** Of two who come at the same time, each would clear away what the other one begins; and two nodes would meet. */
async function alone<T>(places: Places, wait: () => void, work: () => Promise<T>): Promise<T> {
  const unlock = await lock(dirname(places.dir), wait);
  try {
    return await work();
  } finally {
    await unlock();
  }
}

export type Status = { readonly isReady: boolean; readonly lines: readonly string[] };

export async function status(places: Places): Promise<Status> {
  const facts = await readFacts(places);
  if (facts === undefined) return { isReady: false, lines: [`no cluster ${places.name}`] };
  const parts = await Promise.all((await recorded(places)).map(async (one) => ({ one, isUp: await isAlive(one) })));
  const lines = parts.map(({ one, isUp }) => `${one.part.padEnd(24)}${isUp ? `runs, process ${one.pid}` : "is gone"}`);
  const expected = facts.hasNode ? 7 : 3;
  let isReady = parts.length === expected && parts.every(({ isUp }) => isUp);
  try {
    const api = await apiAt(apiUrl(facts), facts.tokens.admin, caOf(places));
    try {
      const version = (await api.call("GET", "/version")) as { readonly gitVersion?: string };
      lines.push(`API server ${apiUrl(facts)}, ${version.gitVersion ?? "of unknown version"}`);
      if (facts.hasNode) {
        const isNodeUp = await isNodeReady(api);
        lines.push(`node ${isNodeUp ? "ready" : "not ready"}`);
        isReady &&= isNodeUp;
      }
    } finally {
      api.close();
    }
  } catch (error) {
    isReady = false;
    lines.push(`API server: ${error instanceof Error ? error.message : String(error)}`);
  }
  lines.push(`KUBECONFIG=${places.kubeconfig}`);
  return { isReady, lines };
}

const otherWithNode = async (places: Places): Promise<string | undefined> => {
  for (const name of await readdir(dirname(places.dir)).catch(() => [])) {
    if (name === places.name) continue;
    const other = placesOf(name, dirname(places.dir));
    if ((await readFacts(other))?.hasNode !== true) continue;
    for (const one of await recorded(other)) if (await isAlive(one)) return name;
  }
  return undefined;
};

const USAGE = `node test/cluster/cluster.ts build|up|down|status [options]

A small real Kubernetes cluster on this machine: etcd, API server, controllers, and one node with real pods.

  --name NAME             which one (default: test)
  --regions A,B           a namespace and a context for each (default: tokyo,frankfurt)
  --control-plane-only    without a node: no pods run
  --install               install missing Debian packages (as root)
`;

/** Builds what `up` needs, where it was not built on this machine yet. */
async function build(say: (line: string) => void): Promise<void> {
  const reasons = await missing({ hasNode: false, isBuilt: await isBuilt() });
  if (reasons.length > 0) throw new Unable(reasons.join("; "));
  await binaries(say);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: "string", default: "test" },
      regions: { type: "string", default: "tokyo,frankfurt" },
      "control-plane-only": { type: "boolean", default: false },
      install: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const [order] = positionals;
  if (values.help || positionals.length !== 1) {
    process.stdout.write(USAGE);
    return values.help ? 0 : 3;
  }
  const places = placesOf(values.name);
  switch (order) {
    case "build":
      await build(say);
      return 0;
    case "up":
      await up({
        places,
        regions: values.regions.split(",").filter((region) => region !== ""),
        hasNode: !values["control-plane-only"],
        mayInstall: values.install,
        say,
      });
      process.stdout.write(`${(await status(places)).lines.join("\n")}\n`);
      return 0;
    case "down":
      await down(places);
      say(`the cluster ${places.name} is gone`);
      return 0;
    case "status": {
      const { isReady, lines } = await status(places);
      process.stdout.write(`${lines.join("\n")}\n`);
      return isReady ? 0 : 1;
    }
    case undefined:
    default:
      process.stdout.write(USAGE);
      return 3;
  }
}

if (import.meta.main)
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = error instanceof Unable ? 5 : 1;
    },
  );
