import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ClientsOptions, ClientsSummary } from "../pod-clients.ts";

/** Clients that order, in a process of their own. */
export type Clients = {
  /** Ends the orders. Resolves with what became of them. */
  stop(): Promise<ClientsSummary>;
  [Symbol.asyncDispose](): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL("../pod-clients.ts", import.meta.url));
const PATIENCE_MS = 15_000;

/** Resolves once the first order was answered. */
export async function startClients(options: ClientsOptions): Promise<Clients> {
  const child = spawn(process.execPath, [PROGRAM], {
    env: { PATH: process.env["PATH"] ?? "", CLIENTS: JSON.stringify(options) },
    stdio: ["pipe", "pipe", "inherit"],
    // Ctrl-C reaches this process alone, which stops them.
    detached: true,
  });
  child.stdin.on("error", () => {});
  const closed = once(child, "close");
  const lines: string[] = [];
  const first = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    first.resolve();
  });
  child.once("close", () => first.reject(new Error("the clients ended before an order was answered")));
  const timer = setTimeout(() => {
    first.reject(new Error(`no order was answered within ${PATIENCE_MS / 1_000} s`));
    child.stdin.end();
  }, PATIENCE_MS);
  try {
    await first.promise;
  } finally {
    clearTimeout(timer);
  }
  return {
    async stop() {
      child.stdin.end("stop\n");
      await closed;
      return JSON.parse(lines.at(-1) ?? "") as ClientsSummary;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}
