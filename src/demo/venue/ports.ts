import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { UpgradeError } from "../../errors/upgrade-error.ts";

/** Where the fixed parts of one environment of the venue listen, all on 127.0.0.1. */
export type VenuePorts = {
  readonly postgres: number;
  readonly engines: readonly [number, number];
  readonly balancers: Readonly<Record<string, { readonly public: number; readonly admin: number }>>;
};

export const VENUE_REGIONS = ["tokyo", "frankfurt"] as const;

/**
 * From a first port: postgres +0, engines +1 and +2, tokyo +10 and +90, frankfurt +110 and +190. Without one, any free ports.
 * Rejects `PORT_TAKEN`.
 */
export async function choosePorts(base: number | undefined): Promise<VenuePorts> {
  const ports = base === undefined ? await freePorts(7) : [0, 1, 2, 10, 90, 110, 190].map((offset) => base + offset);
  for (const port of ports) if (!(await isFree(port))) throw taken(port);
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

async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < 1_000; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

const isFree = async (port: number): Promise<boolean> => {
  try {
    const server = await listen(port);
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch {
    return false;
  }
};

const listen = (port: number): Promise<ReturnType<typeof createServer>> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
