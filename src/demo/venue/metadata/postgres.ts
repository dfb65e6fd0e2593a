import { createHmac, randomUUID } from "node:crypto";
import { chownSync, closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { ChildProcess } from "node:child_process";
import { Client } from "pg";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { endGuarded, spawnGuarded } from "../guardian.ts";
import { findBinaries } from "./binaries.ts";
import type { Binaries } from "./binaries.ts";
import { explain } from "./explain.ts";
import { makeHome } from "./home.ts";
import type { Home } from "./home.ts";
import { chooseIdentity } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { cleanEnvironment, idsOf, runToEnd } from "./run-to-end.ts";

export const DATABASE = "metadata";
export const OWNER = "venue_owner";
export const GATEWAY = "gateway";
const SUPERUSER = "venue_super";

/** A PostgreSQL of the venue's own, on the loopback interface. It ends with this process, however that ends, and leaves no file. */
export type Postgres = {
  readonly port: number;
  readonly pid: number;
  /** The database `metadata` as its superuser, as its owner, and as the gateways. */
  readonly superUrl: string;
  readonly ownerUrl: string;
  readonly gatewayUrl: string;
  /** Ends the server and removes its data. Repeatable. */
  stop(): Promise<void>;
};

export type PostgresOptions = {
  /** Where its files go. Run by root, they go to a folder for temporary files if the server's user cannot enter this one. */
  readonly dir: string;
  /** Default: any free one. */
  readonly port?: number;
  /** The passwords derive from it. Default: luck. */
  readonly seed?: string;
};

/** How long each step may take, in ms: creating the files, and coming up. Ten times what a slow machine needs. */
const INIT_MS = 60_000;
const START_MS = 30_000;
const POLL_MS = 40;
const PORT_ATTEMPTS = 3;

/**
 * Creates and starts the server, its roles and its empty database.
 * Rejects: `POSTGRES_MISSING`, `POSTGRES_NO_USER`, `POSTGRES_DISK_FULL`, `POSTGRES_NOT_STARTED`, `PORT_TAKEN`; then nothing is left behind.
 */
export const startPostgres = async ({ dir, port, seed = randomUUID() }: PostgresOptions): Promise<Postgres> => {
  const where = { port: port ?? 0, dir };
  const who = chooseIdentity();
  const home = await makeHome(dir, who).catch((cause: unknown) => {
    throw explain("make its folder", "", where, cause);
  });
  try {
    if (port !== undefined) await tryPort(port);
    const binaries = await findBinaries(who, join(home.path, "native"));
    const site: Site = { binaries, who, home, passwords: passwordsFrom(seed) };
    await initialise(site, where.port);
    const server = await startOnFreePort(site, port);
    return await openServer(site, server);
  } catch (cause) {
    home.remove();
    throw explain("start", "", { ...where, dir: home.path }, cause);
  }
};

type Site = {
  readonly binaries: Binaries;
  readonly who: Identity;
  readonly home: Home;
  readonly passwords: Readonly<Record<string, string>>;
};
type Server = { readonly child: ChildProcess; readonly port: number };

const passwordsFrom = (seed: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [SUPERUSER, OWNER, GATEWAY].map((role) => [
      role,
      createHmac("sha256", seed).update(`postgres/${role}`).digest("hex").slice(0, 32),
    ]),
  );

const dataOf = (site: Site): string => join(site.home.path, "data");
const logOf = (site: Site): string => join(site.home.path, "postgres.log");

const initialise = async (site: Site, port: number): Promise<void> => {
  const secret = join(site.home.path, "superuser");
  writeFileSync(secret, `${site.passwords[SUPERUSER]}\n`, { mode: 0o600 });
  if (site.who.uid !== undefined && site.who.gid !== undefined) chownSync(secret, site.who.uid, site.who.gid);
  const options = [
    "--no-sync",
    "--no-instructions",
    "--no-data-checksums",
    "--locale=C",
    "--encoding=UTF8",
    "--auth=scram-sha-256",
  ];
  const argv = [site.binaries.initdb, "-D", dataOf(site), "-U", SUPERUSER, `--pwfile=${secret}`, ...options];
  const { code, output } = await runToEnd(argv, site.who, INIT_MS);
  rmSync(secret, { force: true });
  if (code !== 0) throw explain("create its files", output, { port, dir: site.home.path });
};

// Between finding a free port and taking it another program may come first.
const startOnFreePort = async (site: Site, wanted: number | undefined): Promise<Server> => {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    try {
      return await start(site, port);
    } catch (error) {
      const isTaken = error instanceof UpgradeError && error.code === "PORT_TAKEN";
      if (!isTaken || wanted !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
};

/** The data lives no longer than the demo, so nothing waits for a disk. No shared memory or socket is left in the system either. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_connections: "200",
  shared_buffers: "32MB",
  dynamic_shared_memory_type: "mmap",
  max_wal_size: "256MB",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_error_statement: "fatal",
};

const STATEMENTS = "pg_stat_statements";

/** Packages for some machines come without the library. */
const countsStatements = ({ binaries }: Site): boolean =>
  ["so", "dylib", "dll"].some((ending) =>
    existsSync(join(dirname(binaries.postgres), `../lib/postgresql/${STATEMENTS}.${ending}`)),
  );

const start = async (site: Site, port: number): Promise<Server> => {
  const counting = countsStatements(site) ? { shared_preload_libraries: STATEMENTS } : {};
  const settings = Object.entries({ ...SETTINGS, ...counting, port: String(port) }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  // A file, not a pipe: a server must never wait until we have read what it says.
  const log = openSync(logOf(site), "a");
  const child = spawnGuarded([site.binaries.postgres, "-D", dataOf(site), ...settings], {
    ...idsOf(site.who),
    cwd: "/",
    env: cleanEnvironment(),
    stdout: log,
    stderr: log,
    endSignal: "QUIT",
  });
  closeSync(log);
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`it ended with ${code ?? signal}`)));
  });
  ended.catch(() => {});
  try {
    await Promise.race([untilReady(site, child, port), ended]);
    return { child, port };
  } catch (cause) {
    await endGuarded(child, "SIGQUIT", 1_000);
    throw explain("come up", readFileSync(logOf(site), "utf8"), { port, dir: site.home.path }, cause);
  }
};

const untilReady = async (site: Site, child: ChildProcess, port: number): Promise<void> => {
  for (const until = performance.now() + START_MS; ;) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    try {
      return await asSuperuser(site, port, "postgres", () => Promise.resolve());
    } catch (cause) {
      if (performance.now() > until) throw new Error(`it did not answer within ${START_MS / 1_000} s`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

const openServer = async (site: Site, { child, port }: Server): Promise<Postgres> => {
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= endGuarded(child, "SIGINT", 5_000).then(() => site.home.remove()));
  try {
    await createRoles(site, port);
  } catch (error) {
    await stop();
    throw error;
  }
  const urlOf = (role: string): string => `postgres://${role}:${site.passwords[role]}@127.0.0.1:${port}/${DATABASE}`;
  return {
    port,
    pid: child.pid ?? 0,
    superUrl: urlOf(SUPERUSER),
    ownerUrl: urlOf(OWNER),
    gatewayUrl: urlOf(GATEWAY),
    stop,
  };
};

// The owner may clone its database and send others away from it: that is how migrations are rehearsed.
const createRoles = async (site: Site, port: number): Promise<void> => {
  await asSuperuser(site, port, "postgres", async (client) => {
    await client.query(`create role ${OWNER} login createdb password '${site.passwords[OWNER]}'`);
    await client.query(`create role ${GATEWAY} login password '${site.passwords[GATEWAY]}'`);
    await client.query(`grant pg_signal_backend, pg_read_all_stats to ${OWNER}`);
    await client.query(`create database ${DATABASE} owner ${OWNER}`);
  });
  await asSuperuser(site, port, DATABASE, async (client) => {
    await client.query(`alter schema public owner to ${OWNER}`);
    await client.query(`revoke all on schema public from public`);
    await client.query(`grant usage on schema public to ${GATEWAY}`);
    if (!countsStatements(site)) return;
    await client.query(`create schema monitoring; create extension ${STATEMENTS} schema monitoring`);
    await client.query(`grant usage on schema monitoring to ${OWNER}`);
  });
};

const asSuperuser = async (
  site: Site,
  port: number,
  database: string,
  act: (client: Client) => Promise<void>,
): Promise<void> => {
  const password = site.passwords[SUPERUSER] ?? "";
  const client = new Client({
    host: "127.0.0.1",
    port,
    user: SUPERUSER,
    password,
    database,
    connectionTimeoutMillis: 2_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await act(client);
  } finally {
    await client.end().catch(() => {});
  }
};

const freePort = (): Promise<number> => tryPort(0);

/** Listens there for a moment. 0 is any free port. */
const tryPort = (wanted: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (cause) =>
      reject(explain("listen", `could not bind 127.0.0.1: ${reasonOf(cause)}`, { port: wanted, dir: "" }, cause)),
    );
    server.listen(wanted, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const reasonOf = (error: NodeJS.ErrnoException): string =>
  error.code === "EADDRINUSE" ? "Address already in use" : error.message;
