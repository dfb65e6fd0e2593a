import { readdir, readFile, readlink } from "node:fs/promises";
import { livingIn } from "./identity.ts";

const ESTABLISHED = "01";

/** Local ports of the TCP connections of process groups, by which a server knows them. Undefined where the system does not tell: only Linux does. */
export async function connectionsOf(groups: readonly number[]): Promise<ReadonlySet<number> | undefined> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "utf8").catch(() => "")),
  );
  if (tables.every((table) => table === "")) return undefined;
  const pids = (await Promise.all(groups.map((group) => livingIn(group)))).flat();
  const inodes = new Set((await Promise.all(pids.map((pid) => socketsOf(pid)))).flat());
  const ports = tables.flatMap((table) =>
    table.split("\n").flatMap((line) => {
      // sl local rem st queues timer retransmits uid timeout inode
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      return state === ESTABLISHED && inodes.has(inode) ? [Number.parseInt(local.split(":")[1] ?? "", 16)] : [];
    }),
  );
  return new Set(ports);
}

/** Inodes of its sockets; none of a process that is gone. */
async function socketsOf(pid: number): Promise<readonly string[]> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => "")));
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}
