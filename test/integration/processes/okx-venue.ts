import { createInterface } from "node:readline";
import type { WatchConfig, WatchedInstance } from "../../../src/ports/watcher.ts";
import { probeAccounts, startOkxServer, type Fault } from "../../fakes/okx-server.ts";
import { guardOf, PREFIX } from "../../fakes/watched-venue.ts";

// Two regions of six instances in a process of their own. Prints how to watch them; every line on stdin is the list of faults from then on.
const regions = ["tokyo", "frankfurt"];
const servers = await Promise.all(
  regions.map((region) =>
    startOkxServer({
      region,
      accounts: probeAccounts(region),
      usersPerSec: 150,
      instances: Array.from({ length: 6 }, (_, index) => ({ id: `${region}-${index}`, release: "gateway@1.0" })),
    }),
  ),
);
const instances: readonly WatchedInstance[] = regions.flatMap((region, place) =>
  Array.from({ length: 6 }, (_, index) => ({
    id: `${region}-${index}`,
    region,
    component: "gateway",
    release: "gateway@1.0",
    side: "old" as const,
    inTraffic: true,
    url: servers[place]?.urlOf(`${region}-${index}`) ?? "",
  })),
);
const config: WatchConfig = {
  guard: guardOf(),
  orderPrefix: PREFIX,
  counters: { path: "/-/metrics", metric: "venue_operations_total" },
  regions: regions.map((region, place) => ({
    region,
    accounts: probeAccounts(region),
    probe: {
      kind: "okx",
      rest: servers[place]?.url ?? "",
      accounts: { env: "UNUSED" },
      instrument: "PROBE-USDT",
      simulatedTrading: false,
    },
  })),
};
process.stdout.write(`${JSON.stringify({ config, instances })}\n`);
createInterface(process.stdin).on("line", (line) => {
  for (const server of servers) server.fault(JSON.parse(line) as Fault[]);
});
