import { randomInt } from "node:crypto";
import { createServer, type Server } from "node:net";
import { UpgradeError } from "../../errors/upgrade-error.ts";

/** Where the fixed parts of one environment of the venue listen, all on 127.0.0.1. */
export type VenuePorts = {
  readonly postgres: number;
  readonly engines: readonly [number, number];
  readonly balancers: Readonly<Record<string, { readonly public: number; readonly admin: number }>>;
};

export const VENUE_REGIONS = ["tokyo", "frankfurt"] as const;

/** Ports that nobody else is given as long as they are held. */
export type HeldPorts = { readonly ports: VenuePorts; release(): Promise<void> };

/**
 * From a first port: postgres +0, engines +1 and +2, tokyo +10 and +90, frankfurt +110 and +190. Without one, a free block of ports.
 * Rejects `PORT_TAKEN`.
 */
export async function choosePorts(base: number | undefined): Promise<HeldPorts> {
  if (base === undefined) return freeBlock();
  const ports = [0, 1, 2, 10, 90, 110, 190].map((offset) => base + offset);
  for (const port of ports) if (!(await isFree(port))) throw taken(port);
  return { ports: named(ports), release: async () => {} };
}

function named(ports: readonly number[]): VenuePorts {
  const [postgres = 0, a = 0, b = 0, tokyo = 0, tokyoAdmin = 0, frankfurt = 0, frankfurtAdmin = 0] = ports;
  return {
    postgres,
    engines: [a, b],
    balancers: { tokyo: { public: tokyo, admin: tokyoAdmin }, frankfurt: { public: frankfurt, admin: frankfurtAdmin } },
  };
}

const taken = (port: number): UpgradeError =>
  new UpgradeError("PORT_TAKEN", `port ${port} on 127.0.0.1 is taken`, {
    hint: "choose another first port with --port-base, or leave it out for free ones",
  });

/** Below the range from which the system gives ports to outgoing connections, so that none is taken before its owner listens. */
const FIRST_PORT = 12_000;
const LAST_PORT = 19_999;
/** The first of a block is its key. */
const BLOCK = 8;
const TRIES = 1_000;

/**
 * Seconds pass until the last part of a venue listens, and venues start side by side: that a port was free says nothing then. Whoever listens
 * on the key of a block owns the rest of it, and gives it up when the venue has stopped or died.
 */
async function freeBlock(): Promise<HeldPorts> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const key = FIRST_PORT + BLOCK * randomInt((LAST_PORT + 1 - FIRST_PORT) / BLOCK);
    const held = await listen(key).catch(() => undefined);
    if (held === undefined) continue;
    const ports = Array.from({ length: BLOCK - 1 }, (_, index) => key + 1 + index);
    if (await areFree(ports)) return { ports: named(ports), release: () => close(held) };
    await close(held);
  }
  throw new UpgradeError("PORT_TAKEN", `no ${BLOCK} ports in a row are free from ${FIRST_PORT} to ${LAST_PORT}`, {
    hint: "stop what listens there, or choose a first port with --port-base",
  });
}

async function areFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isFree(port))) return false;
  return true;
}

const isFree = (port: number): Promise<boolean> =>
  listen(port).then(
    (server) => close(server).then(() => true),
    () => false,
  );

const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server.unref()));
  });

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
