import { spawn } from "node:child_process";
import { mkdir, open, readFile, readdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { PARTS } from "./build.ts";
import { Hopeless, pause } from "./commands.ts";
import type { Places } from "./places.ts";

/** A process that was started for a cluster. `startedAt` is the kernel's tick: a number that was given away again is not ours. */
export type Started = { readonly part: string; readonly pid: number; readonly startedAt: string };

export const SHIM = "containerd-shim-runc-v2";
const PROGRAMS: ReadonlySet<string> = new Set([...PARTS, "containerd", SHIM]);

/** Starts a part in a session of its own, its output in a file, and writes down who it is. */
export async function start(
  places: Places,
  part: string,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Started> {
  await mkdir(places.logs, { recursive: true });
  const log = await open(join(places.logs, `${part}.log`), "a");
  try {
    const child = spawn(program, args, { detached: true, stdio: ["ignore", log.fd, log.fd], cwd: places.dir, env });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    const pid = child.pid ?? 0;
    const started = { part, pid, startedAt: (await ticksOf(pid)) ?? "" };
    await record(places, [...(await recorded(places)), started]);
    return started;
  } finally {
    await log.close();
  }
}

/** Every part that was started and not forgotten, in the order of starting. */
export async function recorded(places: Places): Promise<readonly Started[]> {
  try {
    return JSON.parse(await readFile(fileOf(places), "utf8")) as readonly Started[];
  } catch {
    return [];
  }
}

export const record = (places: Places, all: readonly Started[]): Promise<void> =>
  writeFile(fileOf(places), `${JSON.stringify(all, undefined, 2)}\n`);

export const isAlive = async ({ pid, startedAt }: Started): Promise<boolean> => (await ticksOf(pid)) === startedAt;

/** SIGTERM, and SIGKILL for whoever does not hear it; nothing but that without patience. */
export async function stop(started: Started, patienceMs = 5_000): Promise<void> {
  for (const signal of patienceMs > 0 ? (["SIGTERM", "SIGKILL"] as const) : (["SIGKILL"] as const)) {
    if (!(await isAlive(started))) return;
    try {
      process.kill(started.pid, signal);
    } catch {
      return;
    }
    const end = performance.now() + patienceMs;
    while (performance.now() < end && (await isAlive(started))) await pause(50);
  }
}

/**
 * Every part that runs, also one that was started by somebody who died before he wrote it down, and the shims of containerd, which are
 * nobody's children: told by their program and by this cluster's folder in their command line.
 */
export async function partsOf(places: Places): Promise<readonly Started[]> {
  const found: Started[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => "");
    const part = basename(line.split("\0")[0] ?? "");
    if (!PROGRAMS.has(part) || !line.includes(`${places.dir}/`)) continue;
    const startedAt = await ticksOf(Number(entry));
    if (startedAt !== undefined) found.push({ part, pid: Number(entry), startedAt });
  }
  return found;
}

/** Rejects `Hopeless` with the last words of a part that is no longer there. */
export async function refuseDead(places: Places, parts: readonly Started[]): Promise<void> {
  for (const one of parts)
    if (!(await isAlive(one))) throw new Hopeless(`${one.part} ended: ${await lastWords(places, one.part)}`);
}

const lastWords = async (places: Places, part: string, lines = 5): Promise<string> =>
  (await readFile(join(places.logs, `${part}.log`), "utf8").catch(() => ""))
    .trim()
    .split("\n")
    .slice(-lines)
    .join("\n");

// Undefined: nobody has this number, or only a dead one that was not buried yet.
const ticksOf = async (pid: number): Promise<string | undefined> => {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
};

const fileOf = (places: Places): string => join(places.dir, "processes.json");
