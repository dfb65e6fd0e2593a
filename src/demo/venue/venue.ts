import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { accountOf, PROBE_UIDS, type VenueEnv } from "./accounts.ts";
import { INSTRUMENTS } from "./instruments.ts";
import { seedMetadata } from "./metadata/seed.ts";
import { startPostgres, type Postgres } from "./metadata/postgres.ts";
import { choosePorts, VENUE_REGIONS, type VenuePorts } from "./ports.ts";
import { entryOf } from "./entry-of.ts";
import { startService, type VenueProcess } from "./service.ts";

/** One environment of the demo venue, without its gateways: midflight's own driver starts those. */
export type Venue = {
  readonly env: VenueEnv;
  readonly keySeed: string;
  readonly ports: VenuePorts;
  /** What an environment file of midflight reads from environment variables. */
  readonly variables: Readonly<Record<string, string>>;
  readonly regions: Readonly<Record<string, { readonly rest: string; readonly ws: string; readonly admin: string }>>;
  /** Which of the two engines acts now: 0 or 1. */
  readonly engines: readonly [Engine, Engine];
  stop(): Promise<void>;
};

export type Engine = {
  readonly name: "a" | "b";
  readonly pid: () => number | undefined;
  /** SIGKILL, as when a server loses its power. */
  kill(): void;
  /** Comes back as the standby. */
  restart(): Promise<void>;
};

export type VenueOptions = {
  readonly dir: string;
  readonly env: VenueEnv;
  readonly keySeed: string;
  readonly portBase?: number;
};

/** Starts store, engines and balancers. What started is stopped again when something else can't. */
export async function startVenue(options: VenueOptions): Promise<Venue> {
  const held = await choosePorts(options.portBase);
  const started: { stop(): Promise<void> }[] = [{ stop: () => held.release() }];
  const { ports } = held;
  const stop = async () => {
    for (const part of started.toReversed()) await part.stop();
  };
  try {
    const postgres = await startPostgres({ dir: join(options.dir, "postgres"), port: ports.postgres });
    started.push(postgres);
    await seedMetadata(postgres.ownerUrl);
    const engines = await startEngines(options, ports, started);
    for (const region of VENUE_REGIONS) started.push(await startBalancer(options, ports, region));
    return {
      env: options.env,
      keySeed: options.keySeed,
      ports,
      variables: variablesOf(options, ports, postgres),
      regions: addressesOf(ports),
      engines,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEngines(
  options: VenueOptions,
  ports: VenuePorts,
  started: { stop(): Promise<void> }[],
): Promise<readonly [Engine, Engine]> {
  const witness = join(options.dir, "witness");
  await mkdir(witness, { recursive: true });
  const [a, b] = ports.engines;
  const first = await startEngine({ options, witness, name: "a", port: a, peer: b, as: "active" });
  started.push(first);
  const second = await startEngine({ options, witness, name: "b", port: b, peer: a, as: "standby" });
  started.push(second);
  return [first, second];
}

type EngineOrder = {
  readonly options: VenueOptions;
  readonly witness: string;
  readonly name: "a" | "b";
  readonly port: number;
  readonly peer: number;
  readonly as: "active" | "standby";
};

async function startEngine(order: EngineOrder): Promise<Engine & { stop(): Promise<void> }> {
  let process = await spawnEngine(order, order.as);
  return {
    name: order.name,
    pid: () => process.pid,
    kill: () => process.kill("SIGKILL"),
    restart: async () => {
      process = await spawnEngine(order, "standby");
    },
    stop: () => process.stop(),
  };
}

const spawnEngine = (
  { options, witness, name, port, peer }: EngineOrder,
  as: "active" | "standby",
): Promise<VenueProcess> =>
  startService({
    name: `matching engine ${name}`,
    argv: [process.execPath, entryOf("engine")],
    env: {
      ENGINE_NAME: name,
      ENGINE_PORT: String(port),
      ENGINE_PEER_PORT: String(peer),
      ENGINE_DIR: join(options.dir, `engine-${name}`),
      ENGINE_WITNESS_DIR: witness,
      ENGINE_START_AS: as,
      ENGINE_INSTRUMENTS: JSON.stringify(INSTRUMENTS),
    },
    log: join(options.dir, `engine-${name}.log`),
  });

const startBalancer = (options: VenueOptions, ports: VenuePorts, region: string): Promise<VenueProcess> =>
  startService({
    name: `balancer of ${region}`,
    argv: [process.execPath, entryOf("balancer")],
    env: {
      BALANCER_REGION: region,
      BALANCER_PORT: String(ports.balancers[region]?.public ?? 0),
      BALANCER_ADMIN_PORT: String(ports.balancers[region]?.admin ?? 0),
      BALANCER_STATE: join(options.dir, `balancer-${region}.json`),
    },
    log: join(options.dir, `balancer-${region}.log`),
  });

const variablesOf = (
  options: VenueOptions,
  ports: VenuePorts,
  postgres: Postgres,
): Readonly<Record<string, string>> => {
  const variables = {
    ORDERS_DB_URL: postgres.ownerUrl,
    GATEWAY_DB_URL: postgres.gatewayUrl,
    VENUE_ENGINES: ports.engines.map((port) => `127.0.0.1:${port}`).join(","),
    VENUE_KEY_SEED: options.keySeed,
    PROBES_TOKYO: probes("tokyo", options),
    PROBES_FRANKFURT: probes("frankfurt", options),
  };
  // As plans/demo.yaml and plans/production.yaml name them, so that one process can hold both.
  const prefix = options.env === "demo" ? "DEMO_" : "";
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${prefix}${name}`, value]));
};

const probes = (region: "tokyo" | "frankfurt", options: VenueOptions): string =>
  JSON.stringify(
    PROBE_UIDS[region]
      .map((uid) => accountOf(uid, options.env, options.keySeed))
      .map(({ apiKey, secret, passphrase, cohort }) => ({ apiKey, secret, passphrase, cohort })),
  );

const addressesOf = (ports: VenuePorts): Venue["regions"] =>
  Object.fromEntries(
    VENUE_REGIONS.map((region) => {
      const at = ports.balancers[region] ?? { public: 0, admin: 0 };
      return [
        region,
        {
          rest: `http://127.0.0.1:${at.public}`,
          ws: `ws://127.0.0.1:${at.public}`,
          admin: `http://127.0.0.1:${at.admin}`,
        },
      ];
    }),
  );
