import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { codeOf } from "./durable.ts";

/** When a process started, with the boot it belongs to: together with the pid it names one process for ever. Undefined when it is gone, or dead and not yet buried. */
export const startOf = (pid: number): Promise<string | undefined> =>
  process.platform === "linux" ? startOnLinux(pid) : startByPs(pid);

async function startOnLinux(pid: number): Promise<string | undefined> {
  const [stat, boot] = await Promise.all([
    statOf(pid),
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
  ]);
  return stat === undefined || stat.isDead ? undefined : `${boot.trim()} ${stat.start}`;
}

type Stat = { readonly isDead: boolean; readonly group: number; readonly start: string };

async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name of the program may hold spaces and brackets: fields are counted behind its last bracket.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields === undefined) return undefined;
  return { isDead: fields[0] === "Z" || fields[0] === "X", group: Number(fields[2]), start: fields[19] ?? "" };
}

async function startByPs(pid: number): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    env: { ...process.env, LC_ALL: "C" },
  }).catch(() => ({ stdout: "" }));
  const [state, ...start] = stdout.trim().split(/\s+/);
  return state === undefined || state === "" || state.startsWith("Z") ? undefined : start.join(" ");
}

/** What instances carry in their environment, so that they can be told from everything else. */
export const markOf = (registryDir: string, id: string): Readonly<Record<string, string>> => ({
  MIDFLIGHT_REGISTRY: registryDir,
  MIDFLIGHT_INSTANCE: id,
});

/**
 * Whether this is the process that was recorded: same pid, same start and, where the system shows it, our mark in its environment.
 * An environment that may not be read disproves nothing.
 */
export async function isSame(
  process_: { readonly pid: number; readonly start: string },
  registryDir: string,
  id: string,
): Promise<boolean> {
  if ((await startOf(process_.pid)) !== process_.start) return false;
  if (process.platform !== "linux") return true;
  const environment = await environmentOf(process_.pid);
  return environment === "hidden" || (environment !== undefined && carries(environment, markOf(registryDir, id)));
}

/** A process that carries our mark. */
export type Marked = {
  readonly pid: number;
  readonly id: string;
  readonly port: number;
  readonly start: string;
  readonly isLeader: boolean;
};

/** Every process of this registry (or of one of its instances) that runs, leaders of groups and what they started alike. Linux only: elsewhere none is found. */
export async function markedProcesses(registryDir: string, id?: string): Promise<readonly Marked[]> {
  if (process.platform !== "linux") return [];
  const needle = Buffer.from(`MIDFLIGHT_REGISTRY=${registryDir}\0`);
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(
    pids.map(async (name) =>
      (await readFile(`/proc/${name}/environ`).catch(() => undefined))?.includes(needle) === true
        ? markedAt(Number(name), registryDir)
        : undefined,
    ),
  );
  return found.filter((one) => one !== undefined && (id === undefined || one.id === id)) as readonly Marked[];
}

async function markedAt(pid: number, registryDir: string): Promise<Marked | undefined> {
  const environment = await environmentOf(pid);
  if (environment === undefined || environment === "hidden" || environment.get("MIDFLIGHT_REGISTRY") !== registryDir)
    return undefined;
  const [stat, start] = await Promise.all([statOf(pid), startOf(pid)]);
  const id = environment.get("MIDFLIGHT_INSTANCE");
  if (stat === undefined || start === undefined || id === undefined) return undefined;
  return { pid, id, port: Number(environment.get("PORT")), start, isLeader: stat.group === pid };
}

/** Pids in a process group that are not dead. Linux only. */
export async function livingIn(group: number): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(async (pid) => ({ pid, stat: await statOf(pid) })));
  return stats.filter(({ stat }) => stat?.group === group && !stat.isDead).map(({ pid }) => pid);
}

async function environmentOf(pid: number): Promise<ReadonlyMap<string, string> | "hidden" | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/environ`, "utf8");
    return new Map(
      text
        .split("\0")
        .map((entry): [string, string] => [
          entry.slice(0, Math.max(0, entry.indexOf("="))),
          entry.slice(entry.indexOf("=") + 1),
        ]),
    );
  } catch (error) {
    return codeOf(error) === "EACCES" || codeOf(error) === "EPERM" ? "hidden" : undefined;
  }
}

const carries = (environment: ReadonlyMap<string, string>, mark: Readonly<Record<string, string>>): boolean =>
  Object.entries(mark).every(([key, value]) => environment.get(key) === value);
