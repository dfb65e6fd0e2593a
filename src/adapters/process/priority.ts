import { readdir, readFile } from "node:fs/promises";
import { getPriority, setPriority } from "node:os";
import { livingIn } from "./identity.ts";

/** How much nicer than midflight itself a starting instance is, in steps of `nice`. */
const NICER = 10;
const NICEST = 19;
/** Threads that are born while theirs are counted come from threads that were not reached yet. */
const PASSES = 5;

/**
 * A program that starts compiles itself, on the processors that serve users: whoever serves comes first until it is ready. Done only where
 * it can be taken back, which Linux lets nobody but who has CAP_SYS_NICE; elsewhere nothing happens.
 */
export async function comeLast(group: number): Promise<void> {
  if (await mayRaise()) await settle(group, Math.min(NICEST, ownNice() + NICER));
}

/** Gives every process and thread of the group midflight's own priority again. */
export async function comeEqual(group: number): Promise<void> {
  if (await mayRaise()) await settle(group, ownNice());
}

const ownNice = (): number => getPriority();

async function settle(group: number, nice: number): Promise<void> {
  for (let pass = 0; pass < PASSES; pass += 1) {
    const threads = (await Promise.all((await livingIn(group)).map(threadsOf))).flat();
    if (threads.filter((thread) => isMoved(thread, nice)).length === 0) return;
  }
}

/** Whether it had another priority until now. One that is gone has none. */
const isMoved = (thread: number, nice: number): boolean => {
  try {
    if (getPriority(thread) === nice) return false;
    setPriority(thread, nice);
    return true;
  } catch {
    return false;
  }
};

const threadsOf = async (pid: number): Promise<readonly number[]> =>
  (await readdir(`/proc/${pid}/task`).catch(() => [])).map(Number);

const CAP_SYS_NICE = 1n << 23n;

const mayRaise = async (): Promise<boolean> => {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  return (BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`) & CAP_SYS_NICE) !== 0n;
};
