import { join } from "node:path";
import type { RunEvent } from "../../src/events/event.ts";
import type { Stage } from "../bench.ts";
import { startClients } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { countingProxy, kubeconfigBehind, type Asked } from "./counting-proxy.ts";
import type { Part } from "./part.ts";
import { PODS_PER_REGION, tenPods } from "./ten-pods.ts";
import { upgrade } from "./upgrade.ts";

const BATCH = 2;
const SOAK_SEC = 20;
const RATE = 200;
const MOST_PER_SEC = 1;

/** What one upgrade of ten pods asks of the API server, and what it asks while nothing happens. */
export async function requests(cluster: Cluster, stage: Stage): Promise<Part> {
  const { url, dir } = await tenPods(cluster, {
    dir: join(stage.dir, "requests"),
    to: "2.0",
    batch: BATCH,
    soakSec: SOAK_SEC,
  });
  await using proxy = await countingProxy(cluster);
  const kubeconfig = await kubeconfigBehind(cluster, proxy, join(dir, "kubeconfig"));
  await using clients = await startClients({ url, ratePerSec: RATE, clients: 16, renewedShare: 0.02 });
  const { events } = await upgrade({ dir, kubeconfig, wants: 0, signal: stage.signal });
  await clients.stop();
  const { asked } = proxy;
  const soak = soakIn(events);
  const resting = asked.filter(({ at }) => at >= soak.from && at <= soak.to);
  const perSec = (resting.length * 1_000) / Math.max(1, soak.to - soak.from);
  const bytes = (all: readonly Asked[]): number => all.reduce((sum, one) => sum + one.sentBytes + one.receivedBytes, 0);
  return {
    figures: [
      {
        figure: "requests to the API server per upgraded pod",
        measured: `${(asked.length / PODS_PER_REGION).toFixed(1)}, ${(bytes(asked) / PODS_PER_REGION / 1_000).toFixed(0)} kB of bodies`,
        goal: "stated",
        ok: undefined,
      },
      {
        figure: `requests a second while it soaks for ${SOAK_SEC} s`,
        measured: perSec.toFixed(2),
        goal: `under ${MOST_PER_SEC}`,
        ok: soak.to > soak.from && perSec < MOST_PER_SEC,
      },
    ],
    tables: [
      {
        title: "What one upgrade of 10 pods asks of the API server",
        head: ["request", "times", "kB of bodies", "while it soaks"],
        rows: [...new Set(asked.map(({ what }) => what))].toSorted().map((what) => {
          const all = asked.filter((one) => one.what === what);
          return [
            what,
            String(all.length),
            (bytes(all) / 1_000).toFixed(0),
            String(resting.filter((one) => one.what === what).length),
          ];
        }),
      },
    ],
    raw: { soak, asked },
  };
}

/** From the beginning of the soak to its end, ms since the epoch. */
function soakIn(events: readonly RunEvent[]): { readonly from: number; readonly to: number } {
  const began = events.find((event) => event.kind === "move-started" && event.move.endsWith("/soak"));
  const ended = events.find((event) => event.kind === "move-done" && event.move.endsWith("/soak"));
  return { from: timeIn(began), to: timeIn(ended) };
}

const timeIn = (event: RunEvent | undefined): number => (event === undefined ? 0 : Date.parse(event.at));
