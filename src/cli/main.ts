import { EXIT } from "../errors/catalog.ts";
import type { CliIo, Signal } from "./io.ts";
import { program } from "./program.ts";
import { VERSION } from "./version.ts";

/** The only place that exits. */
async function main(): Promise<void> {
  const output = watchOutput();
  const io = processIo();
  const fail = async (error: unknown): Promise<never> => leave(await statusOf(io, error));
  process.on("uncaughtException", (error) => void fail(error));
  process.on("unhandledRejection", (error) => void fail(error));
  const [command = ""] = process.argv.slice(2);
  if (CONDUCTS.has(command)) (await import("./heap-bounds.ts")).boundHeaps();
  const status = await program(io, process.argv.slice(2)).catch((error: unknown) => statusOf(io, error));
  await flushed();
  const broken = output();
  if (broken === undefined) return leave(status);
  io.say(`what was printed is not whole: ${broken.message}`);
  return leave(status === EXIT.done && !CONDUCTS.has(command) ? EXIT.refused : status);
}

/** Their exit status tells of the run, whatever became of the printing. */
const CONDUCTS = new Set(["upgrade", "resume", "rollback", "demo", "conduct", "attach"]);

/** Only a failure pays for loading how failures are told. */
const statusOf = async (io: CliIo, error: unknown): Promise<number> =>
  (await import("./failure-text.ts")).statusOf(io, error);

/**
 * A terminal that was closed, a pipe that nobody reads (`| head`), a log on a full disk: none may end a conductor in the middle of a
 * run. Whoever wants to stop then listens for SIGPIPE. Returns the first error that lost something somebody wanted.
 */
function watchOutput(): () => Error | undefined {
  let lost: Error | undefined;
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") hangUp();
    else lost ??= error;
  });
  return () => lost;
}

const readers = new Set<(signal: Signal) => void>();
let isHungUp = false;

function hangUp(): void {
  if (isHungUp) return;
  isHungUp = true;
  for (const listener of readers) listener("SIGPIPE");
}

async function leave(status: number): Promise<never> {
  await flushed();
  process.exit(status);
}

/** What was printed reached the pipe, and what went wrong with it was told. */
async function flushed(): Promise<void> {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  await new Promise((resolve) => setImmediate(resolve));
}

const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) =>
    stream.writableLength === 0 || stream.destroyed ? resolve() : stream.write("", () => resolve()),
  );

function processIo(): CliIo {
  return {
    cwd: process.cwd(),
    env: process.env,
    print: (text) => {
      if (!isHungUp) process.stdout.write(`${text}\n`);
    },
    say: (text) => void process.stderr.write(`${text}\n`),
    stdout: { isTTY: process.stdout.isTTY, columns: process.stdout.columns ?? 0 },
    stderr: { isTTY: process.stderr.isTTY },
    stdin: { isTTY: process.stdin.isTTY },
    question,
    onSignal,
    calledAs: calledAs(process.argv[1] ?? ""),
    version: VERSION,
    node: process.version,
  };
}

/** kubectl runs whatever is called `kubectl-midflight` on the PATH. */
const calledAs = (script: string): string =>
  /(^|\/)kubectl-midflight(\.js)?$/.test(script) ? "kubectl midflight" : "midflight";

async function question(text: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const { createInterface } = await import("node:readline/promises");
  const line = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D are answers too: none.
  const { promise: left, resolve } = Promise.withResolvers<undefined>();
  line.on("SIGINT", () => line.close());
  line.on("close", () => resolve(undefined));
  try {
    return await Promise.race([line.question(text), left]);
  } finally {
    line.close();
  }
}

function onSignal(listener: (signal: Signal) => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const handlers = signals.map((signal) => {
    const handler = () => listener(signal);
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  readers.add(listener);
  return () => {
    readers.delete(listener);
    handlers.forEach((stop) => stop());
  };
}

await main();
