import { readdir, readFile } from "node:fs/promises";

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;
const LOOK_EVERY_MS = 20;

/** SIGTERM to everything in a process group, SIGKILL to what is left after the grace. */
export async function endGroup(group: number): Promise<void> {
  if (!send(group, "SIGTERM") || (await isEmptyWithin(group))) return;
  send(group, "SIGKILL");
  await isEmptyWithin(group);
}

async function isEmptyWithin(group: number): Promise<boolean> {
  const until = performance.now() + GRACE_MS;
  while (await isInhabited(group)) {
    if (performance.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return true;
}

/** The dead whom nobody has buried yet still take signals; where the system shows them, they do not count. */
async function isInhabited(group: number): Promise<boolean> {
  if (!send(group, 0)) return false;
  if (process.platform !== "linux") return true;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const living = await Promise.all(
    pids.map(async (pid) => isLivingIn(group, await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""))),
  );
  return living.includes(true);
}

/** The name of the program may hold spaces and brackets: fields are counted behind its last bracket. */
function isLivingIn(group: number, stat: string): boolean {
  const [state, , itsGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(itsGroup) === group && state !== "Z" && state !== "X";
}

/** False when nobody is left, or nobody that we may signal. */
function send(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return group > 1 && process.kill(-group, signal);
  } catch {
    return false;
  }
}
