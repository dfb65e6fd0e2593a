import type { Clock } from "../../ports/clock.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { codeOf } from "./durable.ts";
import { isSame, livingIn, markedProcesses, startOf } from "./identity.ts";
import type { InstanceRecord } from "./registry.ts";

const LOOK_EVERY_MS = 25;
/** How long the kernel may take to bury what was killed. */
const BURIAL_MS = 5_000;

export type Ending = {
  readonly registryDir: string;
  readonly graceMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Ends an instance with everything it started: SIGTERM to its group, SIGKILL after `graceMs`. Nothing is sent to a process that is not
 * proved to be the recorded one. Resolves when nothing of it is left.
 */
export async function endInstance(record: InstanceRecord, how: Ending): Promise<void> {
  if (record.process !== undefined && (await isSame(record.process, how.registryDir, record.id)))
    await endGroup(record.process, how);
  await killStrays(how.registryDir, record.id);
}

/** Ends a group whose leader is proved to be ours. */
export async function endGroup(leader: { readonly pid: number; readonly start: string }, how: Ending): Promise<void> {
  send(leader.pid, "SIGTERM");
  if (await isEmptyWithin(leader, how.graceMs, how)) return;
  send(leader.pid, "SIGKILL");
  if (await isEmptyWithin(leader, BURIAL_MS, how)) return;
  throw new UpgradeError("WORKLOAD_UNREACHABLE", `process ${leader.pid} did not end after SIGKILL`, {
    hint: "look what holds it (a disk that hangs?); midflight tries again",
  });
}

async function isEmptyWithin(
  leader: { readonly pid: number; readonly start: string },
  ms: number,
  { clock, signal }: Ending,
): Promise<boolean> {
  const until = clock.monotonic() + ms;
  while (await isInhabited(leader)) {
    if (clock.monotonic() >= until) return false;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
  return true;
}

/** A group keeps its number from being given away; once somebody else has it, the group was empty. */
async function isInhabited({ pid, start }: { readonly pid: number; readonly start: string }): Promise<boolean> {
  if (!send(pid, 0)) return false;
  const now = await startOf(pid);
  if (now === start) return true;
  if (now !== undefined) return false;
  // The leader is dead. On Linux the dead that nobody buries are told from the living; elsewhere a signal that arrives says "living".
  return process.platform !== "linux" || (await livingIn(pid)).length > 0;
}

/** Kills, one by one, what carries an instance's mark although its leader is gone: what it started, or what was started twice. */
export async function killStrays(registryDir: string, id: string): Promise<void> {
  for (const { pid } of await markedProcesses(registryDir, id)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (codeOf(error) !== "ESRCH") throw refused(pid, error);
    }
  }
}

/** Signals a group. False when there is none. */
function send(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === "ESRCH") return false;
    throw refused(group, error);
  }
}

const refused = (pid: number, cause: unknown): UpgradeError =>
  new UpgradeError("WORKLOAD_UNREACHABLE", `process ${pid} may not be signalled as uid ${process.getuid?.() ?? "?"}`, {
    hint: "run midflight as the user that started the instances",
    cause,
  });
