import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a program to its end; resolves with what it printed. Rejects with its own last words. */
export const run = async (
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {},
): Promise<string> => {
  try {
    const { stdout } = await execute(program, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      timeout: options.timeoutMs ?? 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const words = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(`${program} ${args.join(" ")}: ${words === "" ? String(error) : words.slice(-2_000)}`, {
      cause: error,
    });
  }
};

/** Runs it and does not mind when it fails: for clearing up what may not be there. */
export const attempt = async (program: string, args: readonly string[], timeoutMs = 15_000): Promise<string> => {
  try {
    return await run(program, args, { timeoutMs });
  } catch {
    return "";
  }
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waiting longer does not bring it. */
export class Hopeless extends Error {}

/** Asks again and again until it is so. Rejects after `withinMs` with what was waited for and the last reason why not; at once when it is hopeless. */
export const until = async (
  what: string,
  withinMs: number,
  isSo: () => Promise<true | string>,
  everyMs = 100,
): Promise<void> => {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await isSo().catch((error: unknown) => {
      if (error instanceof Hopeless) throw error;
      return error instanceof Error ? error.message : String(error);
    });
    if (answer === true) return;
    if (performance.now() > end) throw new Error(`${what} took longer than ${withinMs / 1000} s: ${answer}`);
    await pause(everyMs);
  }
};
