import { spawn, type ChildProcess } from "node:child_process";
import { stat } from "node:fs/promises";
import { once } from "node:events";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { RunOrder, Runner } from "../../ports/runner.ts";
import { endGroup } from "./group.ts";
import { tailBuffer, type Tail } from "./tail.ts";

/** How long output may still come after the program ended: something it left behind may hold the pipe for ever. */
const LAST_WORDS_MS = 200;

/** Runs programs on this machine, each in a process group of its own. `node` as first word means the Node that runs midflight. */
export const localRunner = (): Runner => ({
  async run(order, signal) {
    signal.throwIfAborted();
    const started = performance.now();
    const child = await start(order);
    const tail = tailBuffer();
    child.stdout?.on("data", (chunk: Buffer) => tail.add(chunk));
    child.stderr?.on("data", (chunk: Buffer) => tail.add(chunk));
    const end = await endOf(child, order.timeoutMs, signal);
    if (end.kind !== "exited" || end.status !== 0) await endGroup(child.pid ?? 0);
    await lastWords(child);
    if (end.kind === "aborted") throw signal.reason;
    if (end.kind === "late") throw timedOut(order, tail);
    if (end.status !== 0) throw failed(order, end.status, tail);
    return { output: tail.text(), ms: Math.round(performance.now() - started) };
  },
});

async function start(order: RunOrder): Promise<ChildProcess> {
  const [word = "", ...args] = order.argv;
  const file = !order.shell && word === "node" ? process.execPath : word;
  const child = spawn(file, args, {
    cwd: order.cwd,
    env: { ...process.env, ...order.env },
    shell: order.shell,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw await notFound(order, cause);
  }
  return child;
}

type End =
  | { readonly kind: "exited"; readonly status: number | NodeJS.Signals }
  | { readonly kind: "late" }
  | { readonly kind: "aborted" };

/** Whatever comes first. The program may still run when it is not `exited`. */
async function endOf(child: ChildProcess, timeoutMs: number, signal: AbortSignal): Promise<End> {
  if (child.exitCode !== null || child.signalCode !== null)
    return { kind: "exited", status: child.exitCode ?? child.signalCode ?? 0 };
  return new Promise((resolve) => {
    const done = (end: End): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      resolve(end);
    };
    const aborted = (): void => done({ kind: "aborted" });
    const timer = setTimeout(() => done({ kind: "late" }), timeoutMs);
    child.once("exit", (code, killedBy) => done({ kind: "exited", status: code ?? killedBy ?? 0 }));
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function lastWords(child: ChildProcess): Promise<void> {
  const closed = [child.stdout, child.stderr].flatMap((stream) =>
    stream === null || stream.closed ? [] : [once(stream, "close")],
  );
  await Promise.race([Promise.allSettled(closed), pause(LAST_WORDS_MS)]);
  child.stdout?.destroy();
  child.stderr?.destroy();
}

const wordsOf = (order: RunOrder): string => order.argv.join(" ");

const said = (tail: Tail): string =>
  tail.text().trim() === "" ? "; it printed nothing" : `; its last lines:\n${tail.lines()}`;

const failed = (order: RunOrder, status: number | NodeJS.Signals, tail: Tail): UpgradeError =>
  new UpgradeError(
    "RUN_FAILED",
    `\`${wordsOf(order)}\` ${typeof status === "number" ? `exited with status ${status}` : `was ended by ${status}`}${said(tail)}`,
    { hint: "mend what it says, and go on with `midflight resume`" },
  );

const timedOut = (order: RunOrder, tail: Tail): UpgradeError =>
  new UpgradeError(
    "RUN_TIMED_OUT",
    `\`${wordsOf(order)}\` did not end within ${order.timeoutMs / 1000} s and was ended${said(tail)}`,
    { hint: "give it a longer deadline, or make it faster" },
  );

async function notFound(order: RunOrder, cause: unknown): Promise<UpgradeError> {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const isFolder = await stat(order.cwd).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const why = !isFolder
    ? `the folder ${order.cwd} is not there`
    : code === "ENOENT"
      ? "there is no such program"
      : code === "EACCES"
        ? "this user may not run it"
        : code;
  return new UpgradeError("RUN_NOT_FOUND", `\`${wordsOf(order)}\` could not be started in ${order.cwd}: ${why}`, {
    hint: "give its path, or put it on PATH",
    cause,
  });
}
