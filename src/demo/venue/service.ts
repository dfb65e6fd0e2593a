import type { ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { endGuarded, spawnGuarded } from "./guardian.ts";

/** A process of the venue that said that it is ready. It dies with this one. */
export type VenueProcess = {
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
};

export type ServiceOrder = {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
};

const READY_MS = 15_000;
const GRACE_MS = 3_000;

/** Starts a process of the venue, and resolves when it printed `{"ready":true}`. Rejects `VENUE_UNREACHABLE` with what it said instead. */
export async function startService(order: ServiceOrder): Promise<VenueProcess> {
  const child = spawnGuarded(order.argv, {
    env: { PATH: process.env["PATH"] ?? "", ...order.env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const log = createWriteStream(order.log, { flags: "a" });
  // The venue goes on without its log: a full disk is the story of somebody else.
  log.on("error", () => {});
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
    log.write(chunk);
  });
  await ready(child, order.name, () => said);
  child.once("exit", () => log.end());
  return {
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    stop: () => endGuarded(child, "SIGTERM", GRACE_MS),
  };
}

function ready(child: ChildProcess, name: string, said: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(
        new UpgradeError("VENUE_UNREACHABLE", `${name} did not start: ${said().trim() || why}`, {
          hint: "mend what it says, and start again",
        }),
      );
    };
    const timer = setTimeout(() => fail(`nothing came within ${READY_MS / 1000} s`), READY_MS);
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`it ended with status ${code ?? "?"}`);
    });
    if (child.stdout === null) return fail("it has no output");
    createInterface({ input: child.stdout }).once("line", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
