import { spawn } from "node:child_process";
import { once } from "node:events";
import { markOf, startOf } from "./identity.ts";
import { logPath, newLog } from "./log.ts";
import type { InstanceRecord } from "./registry.ts";

/** A process just started. `ended` says how it went, once it did; midflight's own end does not end it. */
export type Spawned = { readonly pid: number; readonly start: string; ended(): string | undefined };

/** Starts a recorded instance in a session and group of its own, its output going to its log. Rejects when the program cannot be started. */
export async function spawnInstance(
  record: InstanceRecord,
  registryDir: string,
  env: Readonly<Record<string, string>>,
): Promise<Spawned> {
  const [word = "", ...args] = record.run;
  const log = await newLog(logPath(registryDir, record));
  try {
    const child = spawn(word === "node" ? process.execPath : word, args, {
      cwd: record.path,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: {
        ...ordinary(),
        ...env,
        PORT: String(record.port),
        MIDFLIGHT_RELEASE: record.release,
        MIDFLIGHT_REGION: record.region,
        ...markOf(registryDir, record.id),
      },
    });
    let end: string | undefined;
    child.once("exit", (code, signal) => {
      end = signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`;
    });
    await once(child, "spawn");
    child.unref();
    const pid = child.pid ?? 0;
    // It may be gone again already: then the start that is recorded names nobody.
    return { pid, start: (await startOf(pid)) ?? "gone", ended: () => end };
  } finally {
    await log.close();
  }
}

/** What every program may expect. The rest of midflight's environment is its own: it holds secrets of other components. */
function ordinary(): Readonly<Record<string, string>> {
  const names = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
  ];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}
