import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/**
 * Processes and folders that must not outlive this process, however it ends: SIGKILL included.
 *
 * Whoever watches reads from a pipe that only this process writes to. When this process is gone, for whatever reason,
 * the kernel closes the pipe, and the watcher acts. Nothing is polled, and a watcher is a shell, one megabyte big.
 */
export type GuardedOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
  /** A number is an open file. Default: "ignore". The command always reads /dev/null. */
  readonly stdout?: "ignore" | "pipe" | "inherit" | number;
  readonly stderr?: "ignore" | "pipe" | "inherit" | number;
  /** What ends the command when this process is gone. Default: TERM. */
  readonly endSignal?: "TERM" | "INT" | "QUIT";
  /** How long it may take to end before SIGKILL, in whole seconds. Default: 2. */
  readonly graceSec?: number;
};

// The command waits for its watcher, so that there is no moment at which it could be left alone. `exec` keeps the
// process id: signals and the exit status of the child are those of the command itself.
const WAIT_THEN_RUN = `read -r go && exec "$@" </dev/null`;

const WATCH = `
trap '' TERM INT QUIT HUP
group=$1 signal=$2 grace=$3
read -r line && exit 0
kill -s "$signal" -- "-$group" || exit 0
while [ "$grace" -gt 0 ]; do
  sleep 1
  kill -s 0 -- "-$group" || exit 0
  grace=$((grace - 1))
done
kill -s KILL -- "-$group"
`;

/**
 * Starts `argv` (no shell reads it) in a process group of its own, which is ended when this process ends, and of which
 * nothing is left when the command ends. The child's pid is the command's own. A command that cannot be found exits
 * with 127, one that may not be run with 126.
 */
export const spawnGuarded = (argv: readonly string[], options: GuardedOptions = {}): ChildProcess => {
  const { stdout = "ignore", stderr = "ignore", endSignal = "TERM", graceSec = 2, ...rest } = options;
  const child = spawn("/bin/sh", ["-c", WAIT_THEN_RUN, "guarded", ...argv], {
    ...rest,
    detached: true,
    stdio: ["pipe", stdout, stderr],
  });
  child.stdin?.on("error", ignore);
  if (child.pid === undefined) return child;
  const dismiss = watch(WATCH, [String(child.pid), endSignal, String(graceSec)]);
  child.once("exit", () => {
    killGroup(child.pid);
    dismiss();
  });
  child.stdin?.end("go\n");
  return child;
};

/** Ends a process that `spawnGuarded` started, by force once `graceMs` are over. Resolves when it is gone. */
export const endGuarded = async (child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => killGroup(child.pid), graceMs);
  await gone;
  clearTimeout(timer);
};

// Processes that still write there may put files back while they end, so it looks again until nothing comes back.
const SWEEP = `
trap '' TERM INT QUIT HUP
read -r line && exit 0
left=40
while [ "$left" -gt 0 ]; do
  rm -rf -- "$1"
  sleep 0.25
  [ -e "$1" ] || { sleep 1; [ -e "$1" ] || exit 0; }
  left=$((left - 1))
done
`;

/** Removes a folder when this process ends, however it ends. Call the result when the folder is gone or shall stay. */
export const guardFolder = (path: string): (() => void) => watch(SWEEP, [path]);

const RUN = `
trap '' TERM INT QUIT HUP
read -r line && exit 0
exec "$@"
`;

/** Runs `argv` when this process ends, however it ends. Call the result when there is nothing left for it to do. */
export const guardWithProgram = (argv: readonly string[]): (() => void) => watch(RUN, argv);

const watch = (script: string, args: readonly string[]): (() => void) => {
  const watcher = spawn("/bin/sh", ["-c", script, "guardian", ...args], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.on("error", ignore);
  watcher.stdin.on("error", ignore);
  // It shall not keep this process alive: it is there for the time after.
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return () => void watcher.stdin.end("dismissed\n");
};

const killGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
};

const ignore = (): void => {};
