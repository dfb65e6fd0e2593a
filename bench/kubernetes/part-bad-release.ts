import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { RunEvent } from "../../src/events/event.ts";
import type { Figure, Stage } from "../bench.ts";
import type { Missed } from "../pod-clients.ts";
import { largest, median, ms, sum } from "../spread.ts";
import { startClients } from "./clients.ts";
import type { Cluster } from "./cluster.ts";
import { overAll, tried, type Part } from "./part.ts";
import { POD_PORT, podsIn, REGION, releaseOf, untilAlone } from "./pods.ts";
import { rolloutOn, type Rollout } from "./rollout.ts";
import { standingOf, type Comer } from "./standing.ts";
import { PODS_PER_REGION, tenPods } from "./ten-pods.ts";
import { timeOf, upgrade } from "./upgrade.ts";

const BATCH = 2;
const RATE = 500;
const CLIENTS = 32;
const RENEWED_SHARE = 0.02;

/** Clients have been running for a while when a bad release is withdrawn. */
const SETTLED_MS = 3_000;

const WITHDRAWN_MS = 800;
const LAST_FAILURE_MS = 1_500;
const MOST_FAILED = 50;
const OF = 20_000;
const MOST_RATIO = 1.2;

/** One upgrade to a release that begins to fail a third of users' orders when it is behind two pods of ten. Times in ms from the first order that failed. */
type Trial = {
  readonly sent: number;
  readonly failed: number;
  readonly lost: number;
  readonly withdrawnMs: number | null;
  readonly lastFailureMs: number | null;
  /** From the withdrawal until all old pods were ready and no other one stayed. */
  readonly backMs: number | null;
  /** From the withdrawal until the run had seen that everything is as before. */
  readonly seenMs: number | null;
  /** Pods that came after it. */
  readonly comers: readonly Comer[];
  readonly undo: Undo;
};

/** The same ten pods back from the same eight and two by `kubectl rollout undo`, under the same users. */
type Undo = { readonly ms: number; readonly comers: readonly Comer[] };

/** How soon a release is withdrawn that only users' traffic shows, and what it costs them until then. */
export async function badRelease(cluster: Cluster, stage: Stage, count: number): Promise<Part> {
  const { images, url, dir } = await tenPods(cluster, {
    dir: join(stage.dir, "bad-release"),
    to: "bad",
    batch: BATCH,
    soakSec: 60,
    // Unproved pods come while the old ones before them leave: there never are eight and two then.
    isProved: true,
  });
  const rollout = rolloutOn(cluster);
  const trial = async (): Promise<Trial> => {
    const one = await withdrawn({ url, dir, old: images["1.0"], bad: images.bad }, cluster, stage);
    const undo = await undone(rollout, { url, old: images["1.0"], bad: images.bad }, cluster, stage);
    return { ...one, undo };
  };
  const { done: trials, broken } = await tried(count, { name: "bad release", run: trial, inShort }, stage);
  return {
    figures: overAll(figuresOf(trials), broken),
    tables: [
      {
        title: "A bad release behind 2 of 10 pods, trial by trial",
        head: [
          "trial",
          "→ withdrawn",
          "→ last failure",
          "failed",
          "lost",
          "withdrawn → back",
          "→ seen",
          "kubectl rollout undo",
        ],
        rows: trials.map((one, index) => [
          String(index + 1),
          ms(one.withdrawnMs),
          ms(one.lastFailureMs),
          `${one.failed} of ${one.sent}`,
          String(one.lost),
          ms(one.backMs),
          ms(one.seenMs),
          ms(one.undo.ms),
        ]),
      },
    ],
    raw: { trials, broken },
  };
}

const inShort = ({ sent, failed, withdrawnMs, lastFailureMs, backMs, undo }: Trial): string =>
  `withdrawn after ${ms(withdrawnMs)}, last failure after ${ms(lastFailureMs)}, ${failed} of ${sent} failed, back after ${ms(backMs)}, by kubectl ${ms(undo.ms)}`;

function figuresOf(trials: readonly Trial[]): readonly Figure[] {
  const known = (of: (trial: Trial) => number | null): readonly number[] =>
    trials.map((trial) => of(trial)).filter((value) => value !== null);
  const isWhole = trials.every((one) => one.withdrawnMs !== null && one.lastFailureMs !== null && one.backMs !== null);
  const [acted, last, back] = [
    known(({ withdrawnMs }) => withdrawnMs),
    known(({ lastFailureMs }) => lastFailureMs),
    known(({ backMs }) => backMs),
  ];
  const failed = trials.map((one) => (one.failed * OF) / Math.max(OF, one.sent));
  const ratio = median(trials.flatMap((one) => (one.backMs === null ? [] : [one.backMs / one.undo.ms])));
  return [
    under("a third of users' orders fail behind 2 of 10 pods: first failure → withdrawn", acted, WITHDRAWN_MS, isWhole),
    under("the same: first failure → last failing order", last, LAST_FAILURE_MS, isWhole),
    {
      figure: "the same: orders that failed",
      measured: `${sum(trials.map((one) => one.failed))} of ${sum(trials.map(({ sent }) => sent))}, most in one run ${largest(trials.map((one) => one.failed)) ?? "-"}`,
      goal: `under ${MOST_FAILED} of ${OF} in each`,
      ok: isWhole && failed.every((one) => one < MOST_FAILED),
    },
    {
      figure: "the same: withdrawn → all ten old pods ready and no other one there, to `kubectl rollout undo`",
      measured: `${ratio?.toFixed(2) ?? "-"} (${ms(median(back))} to ${ms(median(trials.map(({ undo }) => undo.ms)))})`,
      goal: `at most ${MOST_RATIO}`,
      ok: isWhole && ratio !== undefined && ratio <= MOST_RATIO,
    },
  ];
}

function under(figure: string, values: readonly number[], goal: number, isWhole: boolean): Figure {
  const middle = median(values);
  return {
    figure,
    measured: `median ${ms(middle)}, largest ${ms(largest(values))}`,
    goal: `median under ${goal} ms`,
    ok: isWhole && middle !== undefined && middle < goal,
  };
}

type Place = { readonly url: string; readonly dir: string; readonly old: string; readonly bad: string };

async function withdrawn(
  { url, dir, old, bad }: Place,
  cluster: Cluster,
  { signal }: Stage,
): Promise<Omit<Trial, "undo">> {
  await untilAlone(cluster.api, PODS_PER_REGION);
  await using clients = await startClients(clientsOf(url));
  await using standing = standingOf(cluster, old);
  let struck = Promise.resolve();
  const onEvent = (event: RunEvent): void => {
    if (event.kind === "move-done" && event.move.endsWith("/batch-1/retire")) struck = strike(cluster, bad);
  };
  const { events } = await upgrade({ dir, kubeconfig: cluster.places.kubeconfig, wants: 1, signal, onEvent });
  await struck;
  const { sent, missed } = await clients.stop();
  const failures = missed.filter((one) => isByFault(one)).map(({ at }) => at);
  const [first, last] = failures.length === 0 ? [] : [Math.min(...failures), Math.max(...failures)];
  const acted = timeOf(events, "withdrawn", "tripped");
  const between = (from: number | undefined, to: number | undefined): number | null =>
    from === undefined || to === undefined ? null : to - from;
  return {
    sent,
    failed: failures.length,
    lost: missed.filter(({ kind }) => kind === "lost").length,
    withdrawnMs: between(first, acted),
    lastFailureMs: between(first, last),
    backMs: acted === undefined ? null : (await standing.alone(PODS_PER_REGION, acted)) - acted,
    seenMs: between(acted, timeOf(events, "confirming")),
    comers: acted === undefined ? [] : standing.comers(acted),
  };
}

/** What is wrong with them begins now. */
async function strike({ api }: Cluster, image: string): Promise<void> {
  const pods = (await podsIn(api, REGION)).filter(({ spec }) => spec.containers.some((one) => one.image === image));
  await Promise.all(
    pods.map(({ status }) => fetch(`http://${status?.podIP ?? ""}:${POD_PORT}/-/strike`, { method: "POST" })),
  );
}

const isByFault = ({ kind, why }: Missed): boolean => kind === "failed" && why.endsWith(releaseOf("bad"));

/** By hand: two pods of the bad image serve beside eight old ones, and the old image is set again. */
async function undone(
  rollout: Rollout,
  { url, old, bad }: Omit<Place, "dir">,
  cluster: Cluster,
  { signal }: Stage,
): Promise<Undo> {
  await untilAlone(cluster.api, PODS_PER_REGION);
  await rollout.setImageOf(BATCH, bad, signal);
  await untilAlone(cluster.api, PODS_PER_REGION);
  await using clients = await startClients(clientsOf(url));
  await using standing = standingOf(cluster, old);
  await setTimeout(SETTLED_MS, undefined, { signal });
  const since = Date.now();
  await rollout.undo(old);
  const backAt = await standing.alone(PODS_PER_REGION, since);
  await clients.stop();
  return { ms: backAt - since, comers: standing.comers(since) };
}

const clientsOf = (url: string) => ({ url, ratePerSec: RATE, clients: CLIENTS, renewedShare: RENEWED_SHARE });
