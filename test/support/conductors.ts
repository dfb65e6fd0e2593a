import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { LeaseHolder } from "../../src/ports/lease.ts";

/** Processes that do nothing but live, so that a lease can be held by one and outlive it. */
export function conductors(): {
  conductor(run: string): Promise<Omit<LeaseHolder, "since">>;
  die(run: string): Promise<void>;
  close(): Promise<void>;
} {
  const processes = new Map<string, ChildProcess>();
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const all: ChildProcess[] = [];
  return {
    async conductor(run) {
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)"], { stdio: "ignore" });
      all.push(child);
      await once(child, "spawn");
      processes.set(run, child);
      return { run, host: "here", pid: child.pid ?? 0 };
    },
    async die(run) {
      const child = processes.get(run);
      if (child !== undefined) await end(child);
    },
    async close() {
      for (const child of all) await end(child);
    },
  };
}
