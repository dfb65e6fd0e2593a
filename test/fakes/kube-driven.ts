import { expect } from "vitest";
import type { Deployment } from "../../src/adapters/kubernetes/api/objects.ts";
import type { Shape, Weighing } from "../../src/graph/observation.ts";
import type { KubeCluster } from "./kube-cluster.ts";
import { digestOf, releaseOf, type KubePlace } from "./kube-place.ts";

/** The driver at work in tokyo: orders as the engine gives them, and what stands there then. */
export type Driver = ReturnType<KubePlace["open"]>;
export type Driven<C> = { readonly place: KubePlace<C>; readonly tokyo: C; readonly driver: Driver };

export const { signal } = new AbortController();

/** Once `count` pods of the old release serve. */
export async function driven<C>(place: KubePlace<C>, count: number): Promise<Driven<C>> {
  const tokyo = place.clusters["tokyo"];
  if (tokyo === undefined) throw new Error("there is no tokyo");
  const driver = place.open();
  await expect.poll(() => countsIn(driver)).toBe(`${count}/0`);
  return { place, tokyo, driver };
}

/** `8/2`: so many of the old release and of the new one are ready and in the Service. */
export async function countsIn({ workload }: Driver): Promise<string> {
  const { instances } = await workload.observe("tokyo", signal);
  const serving = instances.filter(({ ready, weightPct }) => ready && weightPct === 100);
  return ["1.0", "2.0"].map((one) => serving.filter(({ digest }) => digest === digestOf(one)).length).join("/");
}

let seq = 0;
export const fence = (epoch = 1) => ({ epoch, seq: (seq += 1) });

export const shapeOf = (old: number, fresh: number, version = "2.0"): Shape => ({
  releases: [
    { ...releaseOf("1.0"), count: old },
    { ...releaseOf(version), count: fresh },
  ],
  drain: { noticeMs: 0, deadlineMs: 1_000 },
});
export const weighingOf = (old: number, fresh: number): Weighing => [
  { digest: digestOf("1.0"), admitted: old, weightPct: 100 },
  { digest: digestOf("2.0"), admitted: fresh, weightPct: 100 },
];

/** What the engine orders for a batch with surplus: start, admit, retire. */
export async function batch({ workload, traffic }: Driver, from: number, to: number, of: number): Promise<void> {
  await workload.shape("tokyo", shapeOf(of - from, to), fence(), signal);
  await traffic.weigh("tokyo", weighingOf(of - from, to), fence(), signal);
  await workload.shape("tokyo", shapeOf(of - to, to), fence(), signal);
}

/** What it orders on the way back. */
export async function goBack({ workload, traffic }: Driver, of: number, epoch = 1): Promise<void> {
  const { instances } = await workload.observe("tokyo", signal);
  const fresh = instances.filter(({ digest, ready }) => digest === digestOf("2.0") && ready).length;
  await workload.shape("tokyo", shapeOf(of, fresh), fence(epoch), signal);
  await traffic.weigh("tokyo", weighingOf(of, 0), fence(epoch), signal);
  await workload.shape("tokyo", shapeOf(of, 0), fence(epoch), signal);
}

export const deploymentIn = (cluster: Pick<KubeCluster, "get">): Deployment => {
  const found = cluster.get("deployments", "tokyo", "gateway");
  if (found === undefined) throw new Error("the Deployment is gone");
  return found;
};
