import { expect } from "vitest";
import type { KubeCluster } from "./kube-cluster.ts";
import type { KubePlace } from "./kube-place.ts";

/** The driver of a pretended place, and what it finds in tokyo. */
export type Standing = ReturnType<KubePlace["open"]> & { readonly place: KubePlace; readonly tokyo: KubeCluster };

/** Resolves once so many pods are ready there. */
export async function standing(place: KubePlace, count: number): Promise<Standing> {
  const { signal } = new AbortController();
  const { tokyo } = place.clusters;
  if (tokyo === undefined) throw new Error("there is no tokyo");
  const driver = place.open();
  await expect
    .poll(async () => (await driver.workload.observe("tokyo", signal)).instances.filter(({ ready }) => ready).length)
    .toBe(count);
  return { ...driver, place, tokyo };
}
