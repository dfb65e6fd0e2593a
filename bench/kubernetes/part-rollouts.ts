import { join } from "node:path";
import type { Figure, Stage } from "../bench.ts";
import type { ClientsSummary } from "../pod-clients.ts";
import { median, ms, sum } from "../spread.ts";
import { startClients } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { overAll, tried, type Part, type Tries } from "./part.ts";
import { removePods, untilAlone, type Manner } from "./pods.ts";
import { rolloutOn, type Rollout } from "./rollout.ts";
import { PODS_PER_REGION, tenPods, type TenPods } from "./ten-pods.ts";
import { spentOn, upgrade, type Spent } from "./upgrade.ts";

const BATCH = 2;
const RATE = 1_000;
const CLIENTS = 64;
const RENEWED_SHARE = 0.02;
const MOST_RATIO = 1.1;

/** The same ten pods rolled by midflight and then by kubectl, under clients that keep their connections. */
type Pair = { readonly midflight: Rolled & { readonly spent: Spent }; readonly kubectl: Rolled };
type Rolled = { readonly ms: number; readonly sent: number; readonly lost: readonly string[] };

/** How long a healthy rollout takes, and what it costs users, by midflight and by kubectl in turns. */
export async function rollouts(cluster: Cluster, stage: Stage, pairs: number): Promise<Part> {
  const drains = await rolledPairs("drains", pairs, cluster, stage);
  const careless = await rolledPairs("careless", Math.min(2, pairs), cluster, stage);
  return {
    figures: [
      ...overAll([speed(drains.done), lost(drains.done)], drains.broken),
      ...overAll([besides(careless.done)], careless.broken),
    ],
    tables: [
      {
        title: "10 pods by twos, pair by pair",
        head: ["pair", "midflight", "before", "in the dark", "admit", "retire", "evidence", "lost", "kubectl", "lost"],
        rows: drains.done.map(({ midflight, kubectl }, index) => [
          String(index + 1),
          ms(midflight.ms),
          ...[midflight.spent.before, midflight.spent.start, midflight.spent.admit].map(ms),
          ...[midflight.spent.retire, midflight.spent.evidence].map(ms),
          `${midflight.lost.length} of ${midflight.sent}`,
          ms(kubectl.ms),
          `${kubectl.lost.length} of ${kubectl.sent}`,
        ]),
      },
    ],
    raw: { drains, careless },
  };
}

function speed(pairs: readonly Pair[]): Figure {
  const ratio = median(pairs.map(({ midflight, kubectl }) => midflight.ms / kubectl.ms));
  const of = (what: (spent: Spent) => number): string =>
    ms(median(pairs.map(({ midflight }) => what(midflight.spent))));
  const all = ms(median(pairs.map(({ midflight }) => midflight.ms)));
  return {
    figure: "10 pods by twos, healthy, without dark proof and soak: time of midflight to that of kubectl",
    measured: `${ratio?.toFixed(2) ?? "-"} (${all} to ${ms(median(pairs.map(({ kubectl }) => kubectl.ms)))}; of it before the first move ${of(({ before }) => before)}, in the dark ${of(({ start }) => start)}, evidence ${of(({ evidence }) => evidence)})`,
    goal: `at most ${MOST_RATIO}`,
    ok: ratio !== undefined && ratio <= MOST_RATIO,
  };
}

const lostOf = (rolled: readonly Rolled[]): string =>
  `${sum(rolled.map((one) => one.lost.length))} of ${sum(rolled.map(({ sent }) => sent))}`;

function lost(pairs: readonly Pair[]): Figure {
  const ours = pairs.map(({ midflight }) => midflight);
  return {
    figure: `requests lost in ${pairs.length} such rollouts, ${RATE} a second over kept connections, an image that drains`,
    measured: `${lostOf(ours)} (kubectl: ${lostOf(pairs.map(({ kubectl }) => kubectl))})`,
    goal: "0",
    ok: ours.every((one) => one.lost.length === 0),
  };
}

const besides = (pairs: readonly Pair[]): Figure => ({
  figure: `the same in ${pairs.length}, an image that closes kept connections without a word`,
  measured: `${lostOf(pairs.map(({ midflight }) => midflight))} (kubectl: ${lostOf(pairs.map(({ kubectl }) => kubectl))})`,
  goal: "stated",
  ok: undefined,
});

async function rolledPairs(manner: Manner, count: number, cluster: Cluster, stage: Stage): Promise<Tries<Pair>> {
  const ten = await tenPods(cluster, {
    manner,
    dir: join(stage.dir, `rollouts-${manner}`),
    to: "2.0",
    batch: BATCH,
    soakSec: 0,
  });
  const place: Place = { ...ten, rollout: rolloutOn(cluster) };
  const pair = async (): Promise<Pair> => ({
    midflight: await byMidflight(place, cluster, stage),
    kubectl: await byKubectl(place, cluster, stage),
  });
  const pairs = await tried(count, { name: `${manner}, pair`, run: pair, inShort }, stage);
  await removePods(cluster);
  return pairs;
}

type Place = TenPods & { readonly rollout: Rollout };

const inShort = ({ midflight, kubectl }: Pair): string =>
  `midflight ${rolledText(midflight)}, kubectl ${rolledText(kubectl)}`;

const rolledText = ({ ms: took, lost: missed, sent }: Rolled): string =>
  `${ms(took)}, ${missed.length} of ${sent} lost`;

/** From 1.0 to 2.0. */
async function byMidflight(
  { url, dir, images, rollout }: Place,
  cluster: Cluster,
  { signal }: Stage,
): Promise<Pair["midflight"]> {
  // Where a pair broke, the one after it begins from 1.0 all the same.
  await rollout.done(await rollout.setImage(images["1.0"]), signal);
  await untilAlone(cluster.api, PODS_PER_REGION);
  await using clients = await startClients(clientsOf(url));
  const done = await upgrade({ dir, kubeconfig: cluster.places.kubeconfig, wants: 0, signal });
  await untilAlone(cluster.api, PODS_PER_REGION);
  return { ms: done.ms, spent: spentOn(done), ...missedIn(await clients.stop()) };
}

/** And back to 1.0. */
async function byKubectl({ url, images, rollout }: Place, cluster: Cluster, { signal }: Stage): Promise<Rolled> {
  await untilAlone(cluster.api, PODS_PER_REGION);
  await using clients = await startClients(clientsOf(url));
  const since = performance.now();
  await rollout.done(await rollout.setImage(images["1.0"]), signal);
  const took = performance.now() - since;
  await untilAlone(cluster.api, PODS_PER_REGION);
  return { ms: took, ...missedIn(await clients.stop()) };
}

const clientsOf = (url: string) => ({ url, ratePerSec: RATE, clients: CLIENTS, renewedShare: RENEWED_SHARE });

const missedIn = ({ sent, missed }: ClientsSummary) => ({ sent, lost: missed.map(({ why }) => why) });
