import type { Bench, Stage } from "./bench.ts";
import { startCluster } from "./kubernetes/cluster.ts";
import { badRelease } from "./kubernetes/part-bad-release.ts";
import { fleets } from "./kubernetes/part-fleet.ts";
import { requests } from "./kubernetes/part-requests.ts";
import { rollouts } from "./kubernetes/part-rollouts.ts";
import type { Part } from "./kubernetes/part.ts";
import { REGION } from "./kubernetes/pods.ts";

/** Pods of ten namespaces, in all. */
const FLEETS = [50, 200, 500, 1_000, 2_000];
const NAMESPACES = Array.from({ length: 10 }, (_, index) => `fleet${index}`);

/** Rollouts on a real cluster, beside what kubectl does with the same pods. */
export const kubernetes: Bench = {
  name: "kubernetes",
  about: "rollouts of pods on a real cluster beside kubectl's; needs Linux, root and Go (test/cluster)",
  run: async (stage) => {
    const { isQuick, pairs, seeds } = stage.options;
    const size = {
      pairs: pairs ?? (isQuick ? 1 : 10),
      trials: seeds ?? (isQuick ? 1 : 5),
      fleets: isQuick ? FLEETS.slice(0, 2) : FLEETS,
    };
    const parts = [...(await withPods(stage, size)), await overFleets(stage, size.fleets)];
    await stage.publish({
      name: "kubernetes",
      settings: size,
      figures: parts.flatMap(({ figures }) => figures),
      tables: parts.flatMap(({ tables }) => tables),
      raw: Object.assign({}, ...parts.map(({ raw }) => raw)) as unknown,
    });
  },
};

async function withPods(
  stage: Stage,
  { pairs, trials }: { readonly pairs: number; readonly trials: number },
): Promise<readonly Part[]> {
  await using cluster = await startCluster({ name: "bench", regions: [REGION], hasNode: true, say: stage.say });
  return [
    await rollouts(cluster, stage, pairs),
    await badRelease(cluster, stage, trials),
    await requests(cluster, stage),
  ];
}

/** The node's cluster is gone before: this one has no node, and memory is short. */
async function overFleets(stage: Stage, sizes: readonly number[]): Promise<Part> {
  await using cluster = await startCluster({
    name: "bench-fleet",
    regions: NAMESPACES,
    hasNode: false,
    say: stage.say,
  });
  return fleets(cluster, stage, sizes);
}
