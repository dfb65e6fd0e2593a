import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBalancer } from "../../src/demo/venue/balancer/start.ts";
import { gatewayOnFakes } from "./gateway.ts";

/** A balancer with one gateway behind it. */
export type Venue = {
  /** http://host:port */
  readonly rest: string;
  /** ws://host:port/ws/v5 */
  readonly ws: string;
  stop(): Promise<void>;
};

export const startVenue = async (): Promise<Venue> => {
  const folder = await mkdtemp(join(tmpdir(), "venue-"));
  const gateway = await gatewayOnFakes();
  const balancer = await startBalancer({ region: "tokyo", port: 0, adminPort: 0, statePath: join(folder, "state.json") });
  await fetch(`http://127.0.0.1:${balancer.adminPort}/backends/one`, {
    method: "PUT",
    body: JSON.stringify({ address: `127.0.0.1:${gateway.port}`, release: "2.0", weight: 100 }),
  });
  return {
    rest: `http://127.0.0.1:${balancer.port}`,
    ws: `ws://127.0.0.1:${balancer.port}/ws/v5`,
    async stop() {
      await balancer.stop();
      await gateway.stop(0);
      await rm(folder, { recursive: true });
    },
  };
};
