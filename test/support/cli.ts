import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { midflightBinary } from "./build.ts";

export type Ended = {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};
export type Called = {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In front of the command: `setpriv …`, say. */
  readonly under?: readonly string[];
  /** Another one than this checkout's. */
  readonly binary?: string;
  readonly limitMs?: number;
};

/** For upgrades of production whose test is about something else than certificates. */
export const OVERRIDE: readonly string[] = ["--without-certificate", "--because", "this test rehearses nothing"];

/** A midflight process under way, its output as it comes. */
export type Running = {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
  /** Resolves as soon as `what` was printed, on either stream. Rejects when the process ends without it. */
  says(what: RegExp, limitMs?: number): Promise<void>;
};

/** Nothing of the tests' own environment that changes what is printed. */
const plainEnv = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "/",
  TZ: "UTC",
});

/** Runs the real binary to its end. */
export const midflight = (args: readonly string[], how: Called): Promise<Ended> => start(args, how).ended;

export function start(args: readonly string[], how: Called): Running {
  const [command = "", ...words] = [...(how.under ?? []), process.execPath, how.binary ?? midflightBinary(), ...args];
  const child = spawn(command, words, {
    cwd: how.cwd,
    env: { ...plainEnv(), ...how.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let [stdout, stderr] = ["", ""];
  const waiting = new Set<() => void>();
  const told = () => waiting.forEach((look) => look());
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    told();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    told();
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), how.limitMs ?? 15_000);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr });
    });
  });
  const says = (what: RegExp, limitMs = 30_000) =>
    new Promise<void>((resolve, reject) => {
      const fail = (why: string) =>
        reject(new Error(`${String(what)} was not said: ${why}\n${stdout.slice(-3_000)}\n${stderr.slice(-2_000)}`));
      const late = setTimeout(() => fail(`not within ${limitMs} ms`), limitMs);
      const look = () => {
        if (!what.test(stdout) && !what.test(stderr)) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(({ status, signal }) => {
        clearTimeout(late);
        fail(`ended with ${status ?? signal}`);
      });
    });
  return { child, pid: child.pid ?? 0, ended, stdout: () => stdout, stderr: () => stderr, says };
}

/** Waits until it holds. Rejects with `what` after the limit. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
