import { join } from "node:path";
import type { RunEvent } from "../../src/events/event.ts";
import type { Figure, Stage } from "../bench.ts";
import { largest, median, ms, sum } from "../spread.ts";
import { startClients } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { overAll, tried, type Part } from "./part.ts";
import { podsIn, REGION, releaseOf, untilAlone } from "./pods.ts";
import { PODS_PER_REGION, tenPods } from "./ten-pods.ts";
import { timeOf, upgrade } from "./upgrade.ts";

const RATE = 500;
const DECIDED_MS = 5_000;
const SAMPLE_MS = 200;

/** One upgrade to a release that fails a third of all orders, proved in the dark before any user reaches it. */
type Trial = {
  readonly sent: number;
  /** Users' orders that the new release failed. */
  readonly failed: number;
  readonly mostPods: number;
  /** From the first probe of a new pod to the verdict. */
  readonly decidedMs: number | null;
  /** From the first order for a new pod to the verdict. */
  readonly sinceStartMs: number | null;
};

/** What a release costs that probes can see. */
export async function dark(cluster: Cluster, stage: Stage, count: number): Promise<Part> {
  const { url, dir } = await tenPods(cluster, {
    dir: join(stage.dir, "dark"),
    to: "worse",
    batch: 1,
    soakSec: 0,
    isProved: true,
  });
  const { done: trials, broken } = await tried(
    count,
    { name: "in the dark", run: () => refused({ url, dir }, cluster, stage), inShort },
    stage,
  );
  const decided = trials.map(({ decidedMs }) => decidedMs).filter((value) => value !== null);
  const failed = sum(trials.map((one) => one.failed));
  const extra = (largest(trials.map(({ mostPods }) => mostPods)) ?? 0) - PODS_PER_REGION;
  const isWhole = decided.length === trials.length;
  const figures: readonly Figure[] = [
    {
      figure: "a third of all orders fail, proved in the dark: users' orders that failed of it",
      measured: `${failed} of ${sum(trials.map(({ sent }) => sent))}, at ${extra} extra pod${extra === 1 ? "" : "s"}`,
      goal: "0, at one extra pod",
      ok: isWhole && failed === 0 && extra <= 1,
    },
    {
      figure: "the same: first probe of the new pod → decided",
      measured: `median ${ms(median(decided))}, largest ${ms(largest(decided))} (since it was ordered: median ${ms(median(trials.flatMap(({ sinceStartMs }) => sinceStartMs ?? [])))})`,
      goal: `under ${DECIDED_MS} ms`,
      ok: isWhole && (largest(decided) ?? Infinity) < DECIDED_MS,
    },
  ];
  return {
    figures: overAll(figures, broken),
    tables: [],
    raw: { trials, broken },
  };
}

const inShort = ({ decidedMs, failed, sent }: Trial): string =>
  `decided after ${ms(decidedMs)}, ${failed} of ${sent} failed of it`;

async function refused(
  { url, dir }: { readonly url: string; readonly dir: string },
  cluster: Cluster,
  { signal }: Stage,
): Promise<Trial> {
  await untilAlone(cluster.api, PODS_PER_REGION);
  await using clients = await startClients({ url, ratePerSec: RATE, clients: 32, renewedShare: 0.02 });
  const most = mostPodsOf(cluster);
  const { events } = await upgrade({ dir, kubeconfig: cluster.places.kubeconfig, wants: 1, signal }).finally(most.stop);
  const { sent, missed } = await clients.stop();
  const verdict = timeOf(events, "tripped");
  return {
    sent,
    failed: missed.filter(({ kind, why }) => kind === "failed" && why.endsWith(releaseOf("worse"))).length,
    mostPods: most.seen(),
    decidedMs: between(beganOf(events, "prove"), verdict),
    sinceStartMs: between(beganOf(events, "start"), verdict),
  };
}

const beganOf = (events: readonly RunEvent[], kind: string): number | undefined => {
  const event = events.find((one) => one.kind === "move-started" && one.move.endsWith(`/${kind}`));
  return event === undefined ? undefined : Date.parse(event.at);
};

const between = (from: number | undefined, to: number | undefined): number | null =>
  from === undefined || to === undefined ? null : to - from;

/** How many pods there were at most, those on their way out left aside. */
function mostPodsOf({ api }: Cluster) {
  let most = 0;
  const look = async (): Promise<void> => {
    const pods = await podsIn(api, REGION).catch(() => []);
    most = Math.max(most, pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length);
  };
  const timer = setInterval(() => void look(), SAMPLE_MS);
  return { stop: (): void => clearInterval(timer), seen: () => most };
}
