import { UpgradeError } from "../../errors/upgrade-error.ts";

export type CommandOrder = {
  /** `observe`, `apply`, `undo` or `ready`, for messages. */
  readonly purpose: string;
  readonly argv: readonly string[];
  readonly shell: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
};

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;
/** How long output may still come after the program ended. */
const LAST_WORDS_MS = 200;
const MAX_BYTES = 1_048_576;
const LINES = 12;

/**
 * Runs a program to its end and resolves with what it printed on standard output. It dies with its whole group when the signal aborts or its
 * time is over. Rejects `COMMAND_FAILED` with the last lines.
 */
export async function runCommand(order: CommandOrder, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const { execa } = await import("execa");
  const [word = "", ...args] = order.argv;
  const file = !order.shell && word === "node" ? process.execPath : word;
  // Its own kill would leave alive what the program started, so the whole group is ended here.
  const child = execa(file, args, {
    cwd: order.cwd,
    env: { ...order.env },
    shell: order.shell,
    detached: true,
    stdin: "ignore",
    reject: false,
    cleanup: false,
    all: true,
    maxBuffer: MAX_BYTES,
    killSignal: "SIGKILL",
  });
  let isLate = false;
  let force: NodeJS.Timeout | undefined;
  const end = (): void => {
    send(child.pid, "SIGTERM");
    force ??= setTimeout(() => send(child.pid, "SIGKILL"), GRACE_MS);
  };
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, order.timeoutMs);
  signal.addEventListener("abort", end, { once: true });
  // What it left behind on purpose may hold its output for ever.
  child.nodeChildProcess.once(
    "exit",
    () =>
      void setTimeout(
        () => [child.stdout, child.stderr, child.all].forEach((stream) => stream?.destroy()),
        LAST_WORDS_MS,
      ),
  );
  try {
    const result = await child;
    if (signal.aborted) throw signal.reason;
    if (isLate) throw failed(order, `did not end within ${order.timeoutMs / 1000} s and was ended`, result.all);
    if (result.exitCode !== 0) throw failed(order, reasonOf(result), result.all);
    return result.stdout;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
    // Whoever outlived the program is not waited for.
    if (force !== undefined) send(child.pid, "SIGKILL");
    clearTimeout(force);
  }
}

type Outcome = {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
};

function reasonOf({ exitCode, signal, code, originalMessage }: Outcome): string {
  if (code === "ENOENT") return "could not be started: there is no such program, or its folder is not there";
  if (code === "EACCES") return "could not be started: this user may not run it";
  if (signal !== undefined) return `was ended by ${signal}`;
  return exitCode === undefined ? `failed: ${originalMessage ?? "nobody knows why"}` : `exited with status ${exitCode}`;
}

const failed = (order: CommandOrder, why: string, output: string | undefined): UpgradeError =>
  new UpgradeError("COMMAND_FAILED", `${order.purpose}: \`${order.argv.join(" ")}\` ${why}${saying(output)}`, {
    hint: "run it by hand with the same MIDFLIGHT_ variables, and mend what it says",
  });

const saying = (output = ""): string =>
  output.trim() === ""
    ? "; it printed nothing"
    : `; its last lines:\n${output.trimEnd().split("\n").slice(-LINES).join("\n")}`;

function send(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // The group is empty.
  }
}
