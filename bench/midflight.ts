import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { MIDFLIGHT } from "./places.ts";

export type MidflightOrder = {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  /** Called when it runs, with the number of its process. */
  readonly onStart?: (pid: number) => void;
};

export type MidflightEnd = { readonly status: number | null; readonly lastLine: string; readonly complaint: string };

/** Runs the real command line to its end. When aborted it gets SIGINT, as from a person, and ends by itself. */
export async function midflight({ args, cwd, env, signal, onLine, onStart }: MidflightOrder): Promise<MidflightEnd> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [MIDFLIGHT, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // Ctrl-C reaches this process alone, which passes it on once.
    detached: true,
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  let lastLine = "";
  let complaint = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    lastLine = line;
    onLine?.(line);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4_000);
  });
  const interrupt = () => child.kill("SIGINT");
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    return { status, lastLine, complaint: complaint.trim() };
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}
