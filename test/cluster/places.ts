import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where everything of one cluster lies. */
export type Places = {
  readonly name: string;
  readonly dir: string;
  readonly socket: string;
  readonly kubeconfig: string;
  readonly logs: string;
};

/** A unix socket's path may not be longer. */
const LONGEST_SOCKET = 100;

export const placesOf = (name: string, base = "/var/tmp/midflight-cluster"): Places => {
  if (!/^[a-z0-9][a-z0-9-]{0,20}$/.test(name))
    throw new Error(`${JSON.stringify(name)} is no name for a cluster: use up to 21 small letters, digits and dashes`);
  const dir = join(base, name);
  const socket = join(dir, "containerd.sock");
  if (socket.length > LONGEST_SOCKET) throw new Error(`${dir} is too deep for a unix socket; choose a shorter --dir`);
  return { name, dir, socket, kubeconfig: join(dir, "kubeconfig"), logs: join(dir, "logs") };
};

const SOURCES = ["go.mod", "go.sum", "main.go", "pause/main.go"] as const;
export const SOURCE_DIR = fileURLToPath(new URL("./binary", import.meta.url));

/** Outside the checkout, so that a fresh clone finds it; a changed source is another folder. */
export const cacheDir = async (): Promise<string> => {
  const hash = createHash("sha256");
  for (const name of SOURCES) hash.update(name).update(await readFile(join(SOURCE_DIR, name)));
  const root = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const dir = join(root, "midflight", "cluster", hash.digest("hex").slice(0, 16));
  await mkdir(dir, { recursive: true });
  return dir;
};
