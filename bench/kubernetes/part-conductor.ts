import { createRandom, pick, type Random } from "../../src/demo/traffic/random.ts";
import { conductorImage } from "../../test/cluster/conductor/image.ts";
import { endConductor, type Ending } from "../../test/cluster/conductor/pods.ts";
import { isAll, prepare, seatOn, STATE, type Seat } from "../../test/cluster/conductor/seat.ts";
import { groundOn, REGIONS, type Ground } from "../../test/cluster/driver/place.ts";
import { users } from "../../test/cluster/users.ts";
import type { Figure, Stage, Table } from "../bench.ts";
import { sum } from "../spread.ts";
import type { Cluster } from "./cluster.ts";
import type { Part } from "./part.ts";

/** Of one conductor's run; more than these would be as many restarts, each after a longer wait of Kubernetes. */
const MOST_IN_A_RUN = 4;
/** Runs beside each other: most of a run is waiting for the next conductor. */
const LANES = 3;
/** A conductor may be ended from its start on. */
const MOMENTS_MS = { from: 300, to: 7_000 };
/** Of each of eight clients, between an answer and its next request. */
const PAUSE_MS = 40;
const ENDINGS: readonly Ending[] = ["deleted", "deleted at once", "killed"];

type End = { readonly ending: Ending; readonly afterMs: number };
type Run = {
  readonly run: string;
  /** Those that met a conductor at work. */
  readonly ends: readonly End[];
  /** Undefined when the run was promoted, and every pod is of the new release. */
  readonly problem: string | undefined;
  readonly sent: number;
  readonly lost: readonly string[];
};

/** What is lost when the pod of a conductor goes, again and again, while users send requests. */
export async function conductor(cluster: Cluster, stage: Stage, count: number): Promise<Part> {
  const ground = await groundOn(cluster.places, cluster.facts);
  try {
    const image = await conductorImage(cluster.places);
    const unprepare = await prepare(ground);
    try {
      return partOf(
        await inLanes({ ground, image, count, luck: createRandom(`conductor/${stage.options.firstSeed}`) }, stage),
        count,
      );
    } finally {
      await ground.api.call("DELETE", `/apis/batch/v1/namespaces/${STATE}/jobs?propagationPolicy=Background`);
      await unprepare();
    }
  } finally {
    ground.api.close();
  }
}

type Order = { readonly ground: Ground; readonly image: string; readonly count: number; readonly luck: Random };

/** Runs until so many conductors were ended: a run that is over before its turn leaves the rest to the next one. */
async function inLanes({ ground, image, count, luck }: Order, stage: Stage): Promise<readonly Run[]> {
  const runs: Run[] = [];
  let left = count;
  // A run in which nobody could be ended would be followed by another one for ever.
  let turns = count;
  const lane = async (): Promise<void> => {
    while (left > 0 && turns > 0) {
      stage.signal.throwIfAborted();
      turns -= 1;
      const wanted = Array.from({ length: Math.min(left, MOST_IN_A_RUN) }, () => drawn(luck));
      left -= wanted.length;
      const seat = await seatOn(ground, image);
      try {
        const run = await endedAgain(ground, seat, wanted);
        left += wanted.length - run.ends.length;
        runs.push(run);
        stage.say(inShort(run));
        if (run.problem !== undefined) stage.keep(stage.dir);
      } finally {
        await seat.close();
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return runs;
}

const drawn = (luck: Random): End => ({
  ending: pick(ENDINGS, luck()) ?? "deleted",
  afterMs: Math.round(MOMENTS_MS.from + luck() * (MOMENTS_MS.to - MOMENTS_MS.from)),
});

const UPGRADE = ["upgrade", "plan.yaml", "--env", "environment.yaml", "--in-cluster", "--output", "lines"];

async function endedAgain(ground: Ground, seat: Seat, wanted: readonly End[]): Promise<Run> {
  const load = await users(seat.place.service, PAUSE_MS);
  const ends: End[] = [];
  const following = seat.begin(UPGRADE);
  let run = "";
  let problem: string | undefined;
  try {
    await following.says(/is conducted in/, 60_000);
    run = /^(pods-\S+) is conducted in/m.exec(following.stderr())?.[1] ?? "";
    for (const end of wanted) if (await endConductor(ground, run, end.ending, end.afterMs)) ends.push(end);
    const { status, stdout, stderr } = await following.ended;
    if (status !== 0) problem = `ended with ${status}: ${stdout.slice(-500)} ${stderr.slice(-500)}`;
    for (const region of REGIONS) {
      const pods = await seat.pods(region);
      if (!isAll("2.0", pods)) problem ??= `${region} has ${pods.join(", ")}`;
    }
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
    following.child.kill("SIGINT");
  }
  const { sent, lost } = await load.stop();
  return { run, ends, problem, sent, lost };
}

const textOf = ({ ending, afterMs }: End): string => `${ending} after ${(afterMs / 1_000).toFixed(1)} s`;
const inShort = ({ run, ends, problem, sent, lost }: Run): string =>
  `${run}: ${ends.map((end) => textOf(end)).join(", ")}: ${problem ?? "promoted"}; ${lost.length} of ${sent} requests lost`;

function partOf(runs: readonly Run[], count: number): Part {
  const ends = runs.flatMap((run) => run.ends);
  const promoted = runs.filter(({ problem }) => problem === undefined).length;
  const lost = sum(runs.map((run) => run.lost.length));
  const kinds = ENDINGS.map((kind) => `${ends.filter(({ ending }) => ending === kind).length} ${kind}`).join(", ");
  const figure: Figure = {
    figure: `conductor's pod ended at ${ends.length} random moments (${kinds})`,
    measured: `${promoted} of ${runs.length} runs completed, ${lost} of ${sum(runs.map(({ sent }) => sent))} operations lost`,
    goal: `run completes, no operation lost, at ${count} moments`,
    ok: ends.length === count && promoted === runs.length && lost === 0,
  };
  const table: Table = {
    title: "Conductors that were ended, run by run",
    head: ["run", "ended", "outcome", "operations", "lost"],
    rows: runs.map((run) => [
      run.run,
      run.ends.map((end) => textOf(end)).join(", "),
      run.problem?.split("\n")[0] ?? "promoted",
      String(run.sent),
      String(run.lost.length),
    ]),
  };
  return { figures: [figure], tables: [table], raw: { runs } };
}
