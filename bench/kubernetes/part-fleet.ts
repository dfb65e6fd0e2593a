import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileRunStore } from "../../src/adapters/file/run-store.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { begin } from "../../src/engine/begin.ts";
import { decide } from "../../src/engine/decide.ts";
import type { Run } from "../../src/engine/run.ts";
import { entryOf } from "../../src/runtime/replay.ts";
import { until } from "../../test/cluster/commands.ts";
import type { Figure, Stage } from "../bench.ts";
import { ms, sum } from "../spread.ts";
import type { Cluster } from "./cluster.ts";
import { overAll, tried, type Part } from "./part.ts";
import { deploymentOf, deploymentPath, PODS, podsIn, readyIn, serviceOf, untilListed, type PodImages } from "./pods.ts";
import { NODE, standIn, type StandIn } from "./stand-in.ts";
import { upgrade, writeFiles } from "./upgrade.ts";

const BATCHES = 4;
const MOST_RSS_MB = 300;
/** Deciding is flat when a batch of the largest fleet takes at most so much longer than one of the smallest, or so little that nobody can tell. */
const FLAT_RATIO = 2;
const TOO_SHORT_MS = 20;
const SAMPLE_MS = 250;
const VENUE = fileURLToPath(new URL("../fleet-venue.mjs", import.meta.url));

/** No container runs, so that no image has to be there. */
const imageOf = (digit: string): string => `localhost/fleet@sha256:${digit.repeat(64)}`;
const IMAGES: PodImages = { "1.0": imageOf("1"), "2.0": imageOf("2"), bad: imageOf("3"), worse: imageOf("4") };

/** An upgrade of so many pods in ten namespaces, in four batches. */
type Fleet = {
  readonly pods: number;
  readonly ms: number;
  /** Most resident memory of the conductor, guard's thread included. */
  readonly rssMb: number;
  /** CPU time of the conductor, all of it. */
  readonly cpuMs: number;
  /** What the engine takes for the decisions of a batch: the run's journal is decided again, and timed. */
  readonly decisionMs: number;
  readonly decisions: number;
};

/** What many pods cost a conductor: real API server and controllers, and a stand-in for the nodes. */
export async function fleets(cluster: Cluster, stage: Stage, sizes: readonly number[]): Promise<Part> {
  await using node = await standIn(cluster);
  const venue = spawn(process.execPath, [VENUE], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [line] = (await once(venue.stdout, "data")) as [Buffer];
    const url = `http://127.0.0.1:${line.toString().trim()}`;
    const measured: Fleet[] = [];
    const broken: string[] = [];
    for (const pods of sizes) {
      const run = () => measure(pods, url, { cluster, node, stage });
      const one = await tried(1, { name: `${pods} pods`, run, inShort }, stage);
      measured.push(...one.done);
      broken.push(...one.broken);
      // What is left of it would be in the way of the next.
      if (broken.length > 0) break;
    }
    if (measured.length === 0) throw new Error(broken[0]);
    return {
      figures: overAll(figuresOf(measured), broken),
      tables: [
        {
          title: `Pods in ${cluster.facts.regions.length} namespaces, in ${BATCHES} batches`,
          head: ["pods", "upgrade", "memory", "CPU", "CPU a pod", "decisions", "deciding a batch"],
          rows: measured.map((one) => [
            String(one.pods),
            ms(one.ms),
            `${one.rssMb.toFixed(0)} MB`,
            ms(one.cpuMs),
            `${(one.cpuMs / one.pods).toFixed(1)} ms`,
            String(one.decisions),
            `${one.decisionMs.toFixed(2)} ms`,
          ]),
        },
      ],
      raw: { fleets: measured, broken },
    };
  } finally {
    venue.stdin.end();
  }
}

const inShort = (one: Fleet): string => `${ms(one.ms)}, ${one.rssMb.toFixed(0)} MB, CPU ${ms(one.cpuMs)}`;

function figuresOf(measured: readonly Fleet[]): readonly Figure[] {
  const [least, most] = [measured[0], measured.at(-1)];
  if (least === undefined || most === undefined) return [];
  const ratio = most.decisionMs / least.decisionMs;
  return [
    {
      figure: `memory of a conductor over ${most.pods} pods`,
      measured: `${most.rssMb.toFixed(0)} MB (${least.rssMb.toFixed(0)} MB over ${least.pods})`,
      goal: `under ${MOST_RSS_MB} MB`,
      ok: most.rssMb < MOST_RSS_MB,
    },
    {
      figure: `deciding a batch of ${most.pods} pods, to one of ${least.pods}`,
      measured: `${most.decisionMs.toFixed(2)} ms to ${least.decisionMs.toFixed(2)} ms`,
      goal: `flat: at most ${FLAT_RATIO} times, or under ${TOO_SHORT_MS} ms`,
      ok: ratio <= FLAT_RATIO || most.decisionMs < TOO_SHORT_MS,
    },
  ];
}

type Place = { readonly cluster: Cluster; readonly node: StandIn; readonly stage: Stage };

async function measure(pods: number, url: string, { cluster, node, stage }: Place): Promise<Fleet> {
  const { api, facts, places } = cluster;
  const instances = Math.max(1, Math.round(pods / facts.regions.length));
  await deploy(cluster, node, instances);
  const dir = join(stage.dir, `fleet-${pods}`);
  await writeFiles({
    dir,
    probes: Object.fromEntries(facts.regions.map((region) => [region, url])),
    instances,
    isCounted: false,
    images: IMAGES,
    to: "2.0",
    batch: Math.ceil(instances / BATCHES),
    soakSec: 0,
  });
  const watch = watchProcess();
  const order = { dir, kubeconfig: places.kubeconfig, wants: 0, signal: stage.signal, onStart: watch.start } as const;
  const done = await upgrade(order)
    .catch((error: unknown) => {
      const complaint = node.complaint();
      throw complaint === undefined ? error : new Error(`the stand-in for nodes: ${complaint}`, { cause: error });
    })
    .finally(watch.stop);
  const { rssMb, cpuMs } = watch.seen();
  const times = await decisionsOf(join(dir, ".midflight"), done.run);
  for (const region of facts.regions) {
    await api.call("DELETE", deploymentPath(region), { propagationPolicy: "Background" });
    await api.call("DELETE", `/api/v1/namespaces/${region}/services/${PODS}`);
  }
  for (const region of facts.regions) await untilEmpty(cluster, region);
  return { pods, ms: done.ms, rssMb, cpuMs, decisionMs: sum(times) / BATCHES, decisions: times.length };
}

async function deploy({ api, facts }: Cluster, node: StandIn, instances: number): Promise<void> {
  const body = deploymentOf({ image: IMAGES["1.0"], replicas: instances, podSpec: { nodeName: NODE } });
  for (const region of facts.regions) {
    await api.call("POST", `/apis/apps/v1/namespaces/${region}/deployments`, body);
    await api.call("POST", `/api/v1/namespaces/${region}/services`, serviceOf());
  }
  for (const region of facts.regions)
    await until(`the pods of ${region}`, 300_000, async () => {
      const ready = await readyIn(api, region);
      return ready === instances ? true : `${ready} of ${instances} are ready ${node.complaint() ?? ""}`;
    });
  for (const region of facts.regions) await untilListed(api, region, instances);
}

const untilEmpty = ({ api }: Cluster, region: string): Promise<void> =>
  until(`the pods of ${region} to be gone`, 300_000, async () => {
    const { length } = await podsIn(api, region);
    return length === 0 ? true : `${length} are there`;
  });

/** ms of each decision of a run, made again from its journal. */
async function decisionsOf(state: string, id: string): Promise<readonly number[]> {
  const records = await fileRunStore({ dir: state, clock: systemClock }).read(id);
  const times: number[] = [];
  let run: Run | undefined;
  for (const record of records) {
    const { fact } = entryOf(record);
    const since = performance.now();
    if (fact.kind === "opened") run = begin(fact).run;
    else if (run !== undefined) run = decide(run, fact).run;
    times.push(performance.now() - since);
  }
  return times;
}

/** Kernel's ticks of CPU time in a second, on every Linux of today. */
const TICKS_PER_SEC = 100;

/** Looks at a process until it ends: its most memory, and its CPU time as it was seen last. */
function watchProcess() {
  let [rssMb, cpuMs] = [0, 0];
  let timer: NodeJS.Timeout | undefined;
  const look = async (pid: number): Promise<void> => {
    const [status, stat] = await Promise.all([
      readFile(`/proc/${pid}/status`, "utf8").catch(() => ""),
      readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""),
    ]);
    const kb = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    rssMb = Math.max(rssMb, (kb * 1_024) / 1_000_000);
    // After the name in brackets: state is the first field, utime the 12th and stime the 13th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    cpuMs = Math.max(cpuMs, (ticks * 1_000) / TICKS_PER_SEC);
  };
  return {
    start: (pid: number): void => {
      timer = setInterval(() => void look(pid), SAMPLE_MS);
    },
    stop: (): void => clearInterval(timer),
    seen: () => ({ rssMb, cpuMs }),
  };
}
