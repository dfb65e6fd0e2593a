import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { askStatus } from "../../src/demo/venue/engine/client.ts";
import type { EngineStatus } from "../../src/demo/venue/engine/protocol.ts";

export type EngineName = "a" | "b";

/** Two engines as real processes. `a` starts as the active one. */
export type EnginePair = {
  readonly engines: readonly string[];
  readonly folder: string;
  address(name: EngineName): string;
  process(name: EngineName): ChildProcess;
  status(name: EngineName): Promise<EngineStatus | undefined>;
  start(name: EngineName): Promise<void>;
  /** Resolves when the process is gone. */
  kill(name: EngineName, signal: NodeJS.Signals): Promise<void>;
  /** Resolves with the active engine once the other one is in sync with it. */
  inSync(): Promise<EngineName>;
  close(): Promise<void>;
};

const MAIN = fileURLToPath(new URL("../../src/demo/venue/engine/main.ts", import.meta.url));

export const startPair = async (): Promise<EnginePair> => {
  const folder = mkdtempSync(join(tmpdir(), "engines-"));
  const ports = { a: await freePort(), b: await freePort() };
  const processes: Partial<Record<EngineName, ChildProcess>> = {};
  const address = (name: EngineName): string => `127.0.0.1:${ports[name]}`;
  const pair: EnginePair = {
    engines: [address("a"), address("b")],
    folder,
    address,
    process(name) {
      const child = processes[name];
      if (child === undefined) throw new Error(`${name} was never started`);
      return child;
    },
    status: (name) => askStatus(address(name), 500).catch(() => undefined),
    async start(name) {
      const env = {
        ...process.env,
        ENGINE_NAME: name,
        ENGINE_PORT: String(ports[name]),
        ENGINE_PEER_PORT: String(ports[name === "a" ? "b" : "a"]),
        ENGINE_DIR: join(folder, name),
        ENGINE_WITNESS_DIR: join(folder, "witness"),
        ENGINE_START_AS: name === "a" ? "active" : "standby",
      };
      const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "inherit"] });
      processes[name] = child;
      await once(child.stdout, "data");
    },
    async kill(name, signal) {
      const child = pair.process(name);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
    },
    async inSync() {
      return until("one engine is active and the other in sync", async () => {
        const [a, b] = [await pair.status("a"), await pair.status("b")];
        if (a?.peerConnected !== true || b?.peerConnected !== true) return undefined;
        if (a.role === "active" && b.role === "standby") return "a";
        return b.role === "active" && a.role === "standby" ? "b" : undefined;
      });
    },
    async close() {
      for (const name of Object.keys(processes) as EngineName[]) await pair.kill(name, "SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await pair.start("a");
  await pair.start("b");
  await pair.inSync();
  return pair;
};

/** Asks again until there is an answer. Rejects after `boundMs`. */
export const until = async <T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  boundMs = 10_000,
): Promise<T> => {
  for (const end = performance.now() + boundMs; performance.now() < end;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within ${boundMs} ms: ${what}`);
};

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
