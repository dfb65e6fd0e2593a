import { describe, expect, test } from "vitest";
import { copyOf, dataDigest, sha256 } from "../../../src/adapters/kubernetes/config.ts";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import type { PodSet } from "../../../src/adapters/kubernetes/api/objects.ts";
import { kubernetesDigest } from "../../../src/graph/release-digest.ts";
import type { KubernetesKind } from "../../../src/plan/model.ts";
import type { Shape } from "../../../src/graph/observation.ts";
import { countsIn, fence, shapeOf, untilAnswered, untilServing, weighingOf } from "./orders.ts";
import type { Place } from "./place.ts";
import { withGround } from "./with-ground.ts";
import { users } from "../users.ts";

// What replaces its pods in their places, and config of a release, on a real cluster.
const { signal } = new AbortController();
const cluster = withGround();

type How = { readonly readyDeadlineMs?: number; readonly container?: object };

async function begin(kind: KubernetesKind, replicas: number, how: How = {}): Promise<Place> {
  const place = await cluster.place({ kind, replicas, ...how });
  await untilServing(place, replicas);
  await untilAnswered(place);
  return place;
}

/** What the engine orders for a batch in place: start in the dark, and give it the places. */
async function batch(place: Place, from: number, to: number, of: number): Promise<void> {
  const { workload } = place.driver;
  await workload.shape("tokyo", shapeOf(place, of - from, to), fence(), signal);
  await workload.shape("tokyo", shapeOf(place, of - to, to), fence(), signal);
}
async function goBack(place: Place, of: number): Promise<void> {
  const { workload, traffic } = place.driver;
  const { instances } = await workload.observe("tokyo", signal);
  const fresh = instances.filter(({ release, ready }) => release === "gateway@2.0" && ready).length;
  await workload.shape("tokyo", shapeOf(place, of, fresh), fence(), signal);
  await traffic.weigh("tokyo", weighingOf(place, of, 0), fence(), signal);
  await workload.shape("tokyo", shapeOf(place, of, 0), fence(), signal);
}
const leftIn = ({ metadata }: PodSet): readonly string[] =>
  Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith("midflight"));

describe("a StatefulSet of a real cluster", () => {
  test("is replaced from its highest number downwards under load: no request is lost, and nothing of the hold is left", async () => {
    const place = await begin("StatefulSet", 3);
    const before = await place.set("tokyo");
    const load = await users(place.service);
    await batch(place, 0, 1, 3);
    expect(await countsIn(place.driver)).toBe("2/1");
    const { instances } = await place.driver.workload.observe("tokyo", signal);
    expect(instances.find(({ release }) => release === "gateway@2.0")?.id).toBe(`${place.name}-2`);
    await batch(place, 1, 3, 3);
    expect(await countsIn(place.driver)).toBe("0/3");
    const { sent, lost } = await load.stop();
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(100);
    const after = await place.set("tokyo");
    expect({ ...after.spec, template: undefined }).toEqual({ ...before.spec, template: undefined });
    expect(leftIn(after)).toEqual(["midflight.dev/fence"]);
  }, 180_000);

  test("whose new pod is broken gets the old one back, which a restored template alone would not do", async () => {
    const place = await begin("StatefulSet", 2, { readyDeadlineMs: 20_000 });
    const before = await place.set("tokyo");
    const { workload } = place.driver;
    await expect(workload.shape("tokyo", shapeOf(place, 1, 1, "3.0"), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
    });
    await workload.shape("tokyo", shapeOf(place, 2, 0, "3.0"), fence(), signal);
    expect(await countsIn(place.driver)).toBe("2/0");
    expect((await place.set("tokyo")).spec).toEqual(before.spec);
  }, 120_000);

  test("whose new pods were withdrawn has its exact template, and its old pods in their places", async () => {
    const place = await begin("StatefulSet", 3);
    const before = await place.set("tokyo");
    await batch(place, 0, 1, 3);
    const decided = performance.now();
    await place.driver.traffic.weigh("tokyo", weighingOf(place, 2, 0), fence(), signal);
    expect(performance.now() - decided).toBeLessThan(3_000);
    await goBack(place, 3);
    expect(await countsIn(place.driver)).toBe("3/0");
    const after = await place.set("tokyo");
    expect(after.spec).toEqual(before.spec);
    expect(after.status?.currentRevision).toBe(before.status?.currentRevision);
  }, 120_000);

  test("that was promoted is rolled back to the template that its history keeps", async () => {
    const place = await begin("StatefulSet", 2);
    const before = await place.set("tokyo");
    await batch(place, 0, 2, 2);
    expect(await countsIn(place.driver)).toBe("0/2");
    await goBack(place, 2);
    expect(await countsIn(place.driver)).toBe("2/0");
    const after = await place.set("tokyo");
    expect(after.spec).toEqual(before.spec);
    expect(after.status?.updateRevision).toBe(before.status?.updateRevision);
  }, 180_000);
});

describe("a DaemonSet of a real cluster", () => {
  test("is replaced on its node by an eviction, and goes back", async () => {
    const place = await begin("DaemonSet", 1);
    const before = await place.set("tokyo");
    await batch(place, 0, 1, 1);
    expect(await countsIn(place.driver)).toBe("0/1");
    expect(leftIn(await place.set("tokyo"))).toEqual(["midflight.dev/fence"]);
    await goBack(place, 1);
    expect(await countsIn(place.driver)).toBe("1/0");
    expect((await place.set("tokyo")).spec).toEqual(before.spec);
  }, 120_000);

  test("is not emptied while a disruption budget keeps its pod, and is once the budget is gone", async () => {
    const place = await begin("DaemonSet", 1, { readyDeadlineMs: 12_000 });
    const budgets = "/apis/policy/v1/namespaces/tokyo/poddisruptionbudgets";
    await cluster.ground().api.call("POST", budgets, {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: place.name },
      // No share: of a DaemonSet's pods the server cannot tell how many there should be.
      spec: { minAvailable: 1, selector: { matchLabels: { app: place.name } } },
    });
    const free = () =>
      cluster
        .ground()
        .api.call("DELETE", `${budgets}/${place.name}`)
        .catch(() => undefined);
    cluster.undo(free);
    const { workload } = place.driver;
    await expect(workload.shape("tokyo", shapeOf(place, 0, 1), fence(), signal)).rejects.toMatchObject({
      code: "KUBERNETES_EVICTION_REFUSED",
      message: expect.stringMatching(new RegExp(`${place.name}-\\w+ on node .*disruption budget`)),
    });
    expect(await countsIn(place.driver)).toBe("1/0");
    await free();
    await workload.shape("tokyo", shapeOf(place, 0, 1), fence(), signal);
    expect(await countsIn(place.driver)).toBe("0/1");
  }, 120_000);
});

describe("config of a release on a real cluster", () => {
  test("is read by the new pods as an immutable copy, and by the old ones as before", async () => {
    const reads = (limits: string) => ({ envFrom: [{ configMapRef: { name: limits, optional: true } }] });
    const place = await begin("Deployment", 2, { container: reads("limits") });
    const data = { MOST: "200" };
    const digest = dataDigest({ data });
    const release = { image: cluster.ground().images["1.0"] ?? "", config: { limits: digest } };
    const target = kubernetesDigest(release, sha256) ?? "none";
    const driver = kubernetesDriver({
      ...place.options,
      releases: { "gateway@1.0": { image: release.image }, "gateway@1.1": release },
      target: "gateway@1.1",
    });
    const maps = "/api/v1/namespaces/tokyo/configmaps";
    const name = copyOf("limits", digest);
    await expect(driver.workload.observe("tokyo", signal)).rejects.toMatchObject({
      code: "RELEASE_CONFIG_MISMATCH",
      message: expect.stringContaining(`there is no configmaps/${name}`),
    });
    await cluster.ground().api.call("POST", maps, { metadata: { name }, immutable: true, data });
    cluster.undo(() => cluster.ground().api.call("DELETE", `${maps}/${name}`));
    const shape = (old: number, fresh: number): Shape => ({
      releases: [
        { ...place.release("1.0"), count: old },
        { release: "gateway@1.1", digest: target, count: fresh },
      ],
      drain: { noticeMs: 0, deadlineMs: 10_000 },
    });
    const before = await place.deployment("tokyo");
    await driver.workload.observe("tokyo", signal);
    await driver.workload.shape("tokyo", shape(2, 2), fence(), signal);
    const weighing = [
      { digest: place.release("1.0").digest, admitted: 2, weightPct: 100 },
      { digest: target, admitted: 2, weightPct: 100 },
    ];
    await driver.traffic.weigh("tokyo", weighing, fence(), signal);
    await driver.workload.shape("tokyo", shape(0, 2), fence(), signal);
    const { template } = (await place.deployment("tokyo")).spec;
    expect(template.spec.containers[0]).toMatchObject(reads(name));
    await driver.workload.shape("tokyo", shape(2, 0), fence(), signal);
    expect((await place.deployment("tokyo")).spec).toEqual(before.spec);
  }, 120_000);
});
