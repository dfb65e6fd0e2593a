import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VenueEnv } from "../../src/demo/venue/accounts.ts";
import { startBalancer } from "../../src/demo/venue/balancer/start.ts";
import { connectEngine } from "../../src/demo/venue/engine/client.ts";
import { readInstruments, VENUE_INSTRUMENTS } from "../../src/demo/venue/engine/instrument.ts";
import { startEngine } from "../../src/demo/venue/engine/serve.ts";
import { RELEASE_2_0 } from "../../src/demo/venue/gateway/releases/2.0/release.ts";
import { startGateway } from "../../src/demo/venue/gateway/start.ts";
import type { RunningGateway } from "../../src/demo/venue/gateway/start.ts";
import { KEY_SEED } from "./gateway.ts";
import { fakeMetadata } from "./metadata.ts";

/** A balancer with gateways behind it, on a matching engine. All are real, except the metadata. */
export type Venue = {
  /** http://host:port */
  readonly rest: string;
  /** ws://host:port/ws/v5 */
  readonly ws: string;
  readonly gateways: readonly RunningGateway[];
  /** Sets the share of the gateway with this index. */
  weigh(index: number, weight: number): Promise<void>;
  stop(): Promise<void>;
};

const failed = (error: unknown): never => {
  throw error;
};

export const startVenue = async (how: { readonly env?: VenueEnv; readonly gateways?: number } = {}): Promise<Venue> => {
  const folder = await mkdtemp(join(tmpdir(), "venue-"));
  const dirs = { dir: join(folder, "engine"), witnessDir: join(folder, "witness") };
  const engine = await startEngine(
    {
      name: "a",
      port: 0,
      peerPort: 0,
      ...dirs,
      startAs: "active",
      instruments: readInstruments(JSON.stringify(VENUE_INSTRUMENTS)),
      silenceMs: 400,
    },
    failed,
  );
  const engines = [`127.0.0.1:${engine.port}`];
  const common = {
    port: 0,
    release: "2.0",
    region: "tokyo",
    metadataUrl: "",
    engines,
    env: how.env ?? "production",
    keySeed: KEY_SEED,
  } as const;
  const start = (instance: string): Promise<RunningGateway> =>
    startGateway({ ...common, instance }, RELEASE_2_0, {
      metadata: fakeMetadata(),
      engine: connectEngine({ engines, name: instance }),
    });
  const gateways = await Promise.all(
    Array.from({ length: how.gateways ?? 1 }, (_, index) => start(`gateway-${index}`)),
  );
  const balancer = await startBalancer({
    region: "tokyo",
    port: 0,
    adminPort: 0,
    statePath: join(folder, "state.json"),
  });
  const weigh = async (index: number, weight: number): Promise<void> => {
    const body = JSON.stringify({ address: `127.0.0.1:${gateways[index]?.port}`, release: "2.0", weight });
    await fetch(`http://127.0.0.1:${balancer.adminPort}/backends/gateway-${index}`, { method: "PUT", body });
  };
  for (const index of gateways.keys()) await weigh(index, 100);
  return {
    rest: `http://127.0.0.1:${balancer.port}`,
    ws: `ws://127.0.0.1:${balancer.port}/ws/v5`,
    gateways,
    weigh,
    async stop() {
      await balancer.stop();
      await Promise.all(gateways.map((gateway) => gateway.stop(0)));
      await engine.close();
      await rm(folder, { recursive: true });
    },
  };
};
