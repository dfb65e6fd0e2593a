import type { Cluster } from "./cluster.ts";
import { deployPods, podImages, REGION, type Manner, type PodImages } from "./pods.ts";
import { writeFiles, type UpgradeFiles } from "./upgrade.ts";

export const PODS_PER_REGION = 10;

/** Ten pods of release 1.0 behind their Service, and the files of an upgrade of theirs. */
export type TenPods = {
  readonly images: PodImages;
  /** Where users and probes order. */
  readonly url: string;
  readonly dir: string;
};

type Planned = Pick<UpgradeFiles, "dir" | "to" | "batch" | "soakSec" | "isProved"> & { readonly manner?: Manner };

export async function tenPods(cluster: Cluster, { manner = "drains", ...planned }: Planned): Promise<TenPods> {
  const images = await podImages(cluster, manner);
  const url = await deployPods(cluster, { image: images["1.0"], replicas: PODS_PER_REGION });
  await writeFiles({ ...planned, probes: { [REGION]: url }, instances: PODS_PER_REGION, isCounted: true, images });
  return { images, url, dir: planned.dir };
}
