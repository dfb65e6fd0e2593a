import { spawn } from "node:child_process";
import { basename } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { NotifyKind } from "../../plan/model.ts";
import type { Notifier } from "../../ports/notifier.ts";

const TRIES = 2;
const TIMEOUT_MS = 10_000;
const TAIL_BYTES = 2_048;

/** Starts a program with the notification as JSON on its standard input. Status 0 is a delivery; anything else is tried once more. */
export const commandNotifier = (options: {
  readonly argv: readonly string[];
  readonly on: readonly NotifyKind[];
  readonly timeoutMs?: number;
}): Notifier => {
  const name = `command ${basename(options.argv[0] ?? "")}`;
  return {
    name,
    on: options.on,
    async notify(notification, signal) {
      const input = `${JSON.stringify(notification)}\n`;
      for (let turn = 1; ; turn += 1) {
        signal.throwIfAborted();
        const why = await deliver(options.argv, input, options.timeoutMs ?? TIMEOUT_MS, signal);
        if (why === undefined) return;
        if (turn === TRIES)
          throw new UpgradeError("NOTIFICATION_UNDELIVERED", `${name}: ${why} (tried ${TRIES} times)`, {
            hint: "tell them yourself, and run the program by hand",
          });
      }
    },
  };
};

/** Undefined when it was delivered, otherwise why not. Rejects only when aborted. */
function deliver(
  argv: readonly string[],
  input: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [word = "", ...args] = argv;
  const child = spawn(word === "node" ? process.execPath : word, args, {
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-TAIL_BYTES);
  });
  // It may end without having read: then its status says what became of it.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      child.stderr.destroy();
      act();
    };
    const aborted = (): void => {
      killGroup(child.pid);
      finish(() => reject(signal.reason));
    };
    const timer = setTimeout(() => {
      killGroup(child.pid);
      finish(() => resolve(`it did not end within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    child.once("error", (error) => finish(() => resolve(`it could not be started: ${error.message}`)));
    child.once("exit", (code, killedBy) =>
      finish(() =>
        resolve(
          code === 0
            ? undefined
            : `it ${killedBy === null ? `exited with status ${code}` : `was ended by ${killedBy}`}${said.trim() === "" ? "" : `: ${said.trim()}`}`,
        ),
      ),
    );
    signal.addEventListener("abort", aborted, { once: true });
  });
}

/** A notification that hangs has nothing to clean up. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
