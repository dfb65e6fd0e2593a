import type { Bench, Stage } from "./bench.ts";
import { startCluster, type Cluster } from "./kubernetes/cluster.ts";
import { conductor } from "./kubernetes/part-conductor.ts";
import { badRelease } from "./kubernetes/part-bad-release.ts";
import { dark } from "./kubernetes/part-dark.ts";
import { fleets } from "./kubernetes/part-fleet.ts";
import { requests } from "./kubernetes/part-requests.ts";
import { rollouts } from "./kubernetes/part-rollouts.ts";
import type { Part } from "./kubernetes/part.ts";
import { REGIONS } from "../test/cluster/driver/place.ts";
import { removePods } from "./kubernetes/pods.ts";

/** Rollouts on a real cluster, beside what kubectl does with the same pods. Each part is published as soon as it is measured. */
export const kubernetes: Bench = {
  name: "kubernetes",
  about: "rollouts of pods on a real cluster beside kubectl's; needs Linux, root and Go (test/cluster)",
  run: async (stage) => {
    const wanted = wantedBy(stage);
    const pods = ON_PODS.filter(({ name }) => wanted.includes(name));
    if (pods.length > 0) await withPods(pods, stage);
    if (wanted.includes(FLEET)) await overFleets(stage);
  },
};

type OnPods = { readonly name: string; readonly measure: (cluster: Cluster, stage: Stage) => Promise<Part> };

const ON_PODS: readonly OnPods[] = [
  { name: "rollouts", measure: (cluster, stage) => rollouts(cluster, stage, pairsOf(stage)) },
  { name: "bad-release", measure: (cluster, stage) => badRelease(cluster, stage, trialsOf(stage)) },
  { name: "dark", measure: (cluster, stage) => dark(cluster, stage, trialsOf(stage)) },
  { name: "requests", measure: requests },
  { name: "conductor", measure: (cluster, stage) => conductor(cluster, stage, stage.options.isQuick ? 3 : 20) },
];
const FLEET = "fleet";

const pairsOf = ({ options }: Stage): number => options.pairs ?? (options.isQuick ? 1 : 10);
const trialsOf = ({ options }: Stage): number => options.seeds ?? (options.isQuick ? 1 : 5);

/** Pods in all, over ten namespaces. */
const SIZES = [50, 200, 500, 2_000];
const NAMESPACES = Array.from({ length: 10 }, (_, index) => `fleet${index}`);

function wantedBy({ options }: Stage): readonly string[] {
  const names = [...ON_PODS.map(({ name }) => name), FLEET];
  const unknown = options.parts?.find((part) => !names.includes(part));
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}: choose among ${names.join(", ")}`);
  return options.parts ?? names;
}

async function withPods(parts: readonly OnPods[], stage: Stage): Promise<void> {
  await using cluster = await startCluster({ name: "bench", regions: REGIONS, hasNode: true, say: stage.say });
  for (const { name, measure } of parts) {
    stage.signal.throwIfAborted();
    const settings = { pairs: pairsOf(stage), trials: trialsOf(stage) };
    await publish(name, await attempted(name, () => measure(cluster, stage), stage), stage, settings);
    await removePods(cluster);
  }
}

/** A part that could not be measured is a missed figure, and the others go on. */
async function attempted(name: string, measure: () => Promise<Part>, { signal, say, keep, dir }: Stage): Promise<Part> {
  try {
    return await measure();
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    say(`${name}: ${why}`);
    keep(dir);
    const figure = {
      figure: `kubernetes: ${name}`,
      measured: `not measured: ${why.split("\n")[0]}`,
      goal: "-",
      ok: false,
    };
    return { figures: [figure], tables: [], raw: { why } };
  }
}

/** The node's cluster is gone before: this one has no node, and memory is short. */
async function overFleets(stage: Stage): Promise<void> {
  const sizes = stage.options.isQuick ? SIZES.slice(0, 2) : SIZES;
  const how = { name: "bench-fleet", regions: NAMESPACES, hasNode: false, say: stage.say };
  await using cluster = await startCluster(how);
  const measured = await attempted(FLEET, () => fleets(cluster, stage, sizes), stage);
  await publish(FLEET, measured, stage, { sizes });
}

const publish = (
  name: string,
  { figures, tables, raw }: Part,
  stage: Stage,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> => stage.publish({ name: `kubernetes-${name}`, settings, figures, tables, raw });
