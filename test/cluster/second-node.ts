import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Api } from "./api.ts";
import { binaries } from "./build.ts";
import { clearPods } from "./clear.ts";
import { until } from "./commands.ts";
import { freePorts, type ClusterFacts } from "./facts.ts";
import { loadImage } from "./images.ts";
import { writePartConfig } from "./kubeconfig.ts";
import { isNodeReady, PAUSE, startContainerd, startKubelet } from "./node.ts";
import type { Places } from "./places.ts";
import { recorded, refuseDead, stop } from "./processes.ts";

export const SECOND_NODE = "node-2";

/** Where the second node of a cluster lies: below the cluster's own folder, so that it goes with it. */
export const secondOf = (places: Places): Places => {
  const dir = join(places.dir, "second");
  return { ...places, dir, logs: join(dir, "logs"), socket: join(dir, "containerd.sock") };
};

/**
 * Another node on the same machine and the same bridge, with a containerd and a kubelet of its own, for tests of a node that is lost. Its
 * kubelet keeps no control groups for pods: each of two on a machine takes the other one's for left over. Resolves when it is ready.
 */
export async function startSecondNode(places: Places, facts: ClusterFacts, api: Api): Promise<Places> {
  const own = secondOf(places);
  const built = await binaries(() => {});
  await mkdir(own.dir, { recursive: true, mode: 0o700 });
  await startContainerd(own, places);
  await loadImage(own, { tag: PAUSE, files: { pause: built.pause }, entrypoint: ["/pause"] });
  const [port = 0, health = 0] = await freePorts(2);
  const kubelet = await startKubelet(own, built, {
    node: SECOND_NODE,
    // The token of a kubelet is that of the first node.
    kubeconfig: await writePartConfig(places, facts, "admin"),
    ports: { kubelet: port, kubeletHealth: health },
    more: { cgroupsPerQOS: false, enforceNodeAllocatable: [] },
  });
  await until("the second node", 90_000, async () => {
    await refuseDead(own, [kubelet]);
    return (await isNodeReady(api, SECOND_NODE)) || "not ready yet";
  });
  return own;
}

/** Ends all of it at once, as a machine does that loses its power: nothing says goodbye. */
export async function losePower(own: Places): Promise<void> {
  for (const part of ["kubelet", "containerd"])
    for (const one of await recorded(own)) if (one.part === part) await stop(one, 0);
  await clearPods(own);
}
