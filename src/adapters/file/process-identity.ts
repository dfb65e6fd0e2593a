import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * Names the kernel that pids belong to: two machines, two boots of one machine and two containers never share it, even when they share a
 * host name. Where it cannot be told it is the platform's name, and the host name alone must tell machines apart.
 */
export async function thisMachine(): Promise<string> {
  if (process.platform !== "linux") return process.platform;
  const [boot, pids] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]);
  return `${boot.trim()} ${pids}`.trim();
}

/** When a process started, in the kernel's words: with the pid it names one process for ever. Undefined when it is gone, or dead and not yet buried. */
export async function startOf(pid: number): Promise<string | undefined> {
  return process.platform === "linux" ? startOnLinux(pid) : startByPs(pid);
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name of the program may hold spaces and brackets: fields are counted behind its last bracket.
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === undefined || state === "Z" || state === "X" ? undefined : rest[START_FIELD];
}

/** Field 22 of /proc/PID/stat, counted from the one behind the state. */
const START_FIELD = 18;

async function startByPs(pid: number): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    env: { ...process.env, LC_ALL: "C" },
  }).catch(() => ({ stdout: "" }));
  const [state, ...start] = stdout.trim().split(/\s+/);
  return state === undefined || state === "" || state.startsWith("Z") ? undefined : start.join(" ");
}
