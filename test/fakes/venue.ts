import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VenueEnv } from "../../src/demo/venue/accounts.ts";
import { startBalancer } from "../../src/demo/venue/balancer/start.ts";
import { gatewayOnFakes } from "./gateway.ts";
import type { GatewayOnFakes } from "./gateway.ts";

/** A balancer with gateways behind it, each on an engine of its own. */
export type Venue = {
  /** http://host:port */
  readonly rest: string;
  /** ws://host:port/ws/v5 */
  readonly ws: string;
  readonly gateways: readonly GatewayOnFakes[];
  /** Sets the share of the gateway with this index. */
  weigh(index: number, weight: number): Promise<void>;
  stop(): Promise<void>;
};

export const startVenue = async (how: { readonly env?: VenueEnv; readonly gateways?: number } = {}): Promise<Venue> => {
  const folder = await mkdtemp(join(tmpdir(), "venue-"));
  const gateways = await Promise.all(
    Array.from({ length: how.gateways ?? 1 }, (_, index) => gatewayOnFakes(undefined, { env: how.env ?? "production", instance: `gateway-${index}` })),
  );
  const balancer = await startBalancer({ region: "tokyo", port: 0, adminPort: 0, statePath: join(folder, "state.json") });
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
      await rm(folder, { recursive: true });
    },
  };
};
