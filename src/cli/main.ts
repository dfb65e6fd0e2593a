import { createInterface } from "node:readline/promises";
import { EXIT } from "../errors/catalog.ts";
import { statusOf } from "./failure-text.ts";
import type { CliIo } from "./io.ts";
import { program } from "./program.ts";
import { VERSION } from "./version.ts";

/** The only place that exits. */
async function main(): Promise<void> {
  const io = processIo();
  // A pipe that was closed, as by `| head`, is no error of ours.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(EXIT.done);
    throw error;
  });
  process.on("uncaughtException", (error) => leave(statusOf(io, error)));
  process.on("unhandledRejection", (error) => leave(statusOf(io, error)));
  await leave(await program(io, process.argv.slice(2)).catch((error: unknown) => statusOf(io, error)));
}

/** What was printed reaches the pipe before the process ends. */
async function leave(status: number): Promise<never> {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(status);
}

const drained = (stream: NodeJS.WriteStream): Promise<void> => new Promise((resolve) => (stream.writableLength === 0 ? resolve() : stream.write("", () => resolve())));

function processIo(): CliIo {
  return {
    cwd: process.cwd(),
    env: process.env,
    print: (text) => void process.stdout.write(`${text}\n`),
    say: (text) => void process.stderr.write(`${text}\n`),
    stdout: { isTTY: process.stdout.isTTY, columns: process.stdout.columns ?? 0 },
    stderr: { isTTY: process.stderr.isTTY },
    stdin: { isTTY: process.stdin.isTTY },
    question,
    onSignal,
    version: VERSION,
    node: process.version,
  };
}

async function question(text: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await line.question(text);
  } finally {
    line.close();
  }
}

function onSignal(listener: (signal: "SIGINT" | "SIGTERM" | "SIGHUP") => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const handlers = signals.map((signal) => {
    const handler = () => listener(signal);
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => handlers.forEach((stop) => stop());
}

await main();
