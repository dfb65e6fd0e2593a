import { describe, expect, test } from "vitest";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import { users } from "../users.ts";
import type { Shape } from "../../../src/graph/observation.ts";
import { countsIn, fence, shapeOf, untilAnswered, untilServing, weighingOf } from "./orders.ts";
import type { Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

const { signal } = new AbortController();
const cluster = withGround();

async function begin(replicas: number): Promise<Place> {
  const place = await cluster.place({ replicas });
  await untilServing(place, replicas);
  await untilAnswered(place);
  return place;
}

/** What the engine orders for a batch with surplus: start, admit, retire. */
async function batch(place: Place, from: number, to: number, of: number): Promise<void> {
  const { workload, traffic } = place.driver;
  await workload.shape("tokyo", shapeOf(place, of - from, to), fence(), signal);
  await traffic.weigh("tokyo", weighingOf(place, of - from, to), fence(), signal);
  await workload.shape("tokyo", shapeOf(place, of - to, to), fence(), signal);
}
/** What it orders where nobody is proved: admit, and let the old ones of the batch before go. */
const admit = (place: Place, from: number, to: number, of: number): Promise<void> =>
  place.driver.traffic.weigh("tokyo", weighingOf(place, of - from, to), fence(), signal);
async function goBack(place: Place, of: number): Promise<void> {
  const { workload, traffic } = place.driver;
  const { instances } = await workload.observe("tokyo", signal);
  const fresh = instances.filter(({ release, ready }) => release === "gateway@2.0" && ready).length;
  await workload.shape("tokyo", shapeOf(place, of, fresh), fence(), signal);
  await traffic.weigh("tokyo", weighingOf(place, of, 0), fence(), signal);
  await workload.shape("tokyo", shapeOf(place, of, 0), fence(), signal);
}

describe("on a real cluster", () => {
  test("six unproved pods come with their admission under load: no request is lost, and old ones leave with the next order", async () => {
    const place = await begin(6);
    const load = await users(place.service);
    for (const from of [0, 2, 4]) {
      await admit(place, from, from + 2, 6);
      expect(await countsIn(place.driver)).toBe(`${6 - from}/${from + 2}`);
    }
    await place.driver.workload.shape("tokyo", shapeOf(place, 0, 6), fence(), signal);
    expect(await countsIn(place.driver)).toBe("0/6");
    const { sent, lost } = await load.stop();
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
  }, 180_000);

  test("six pods are rolled by twos under load: no request is lost, and nothing of the hold is left", async () => {
    const place = await begin(6);
    const before = await place.deployment("tokyo");
    const load = await users(place.service);
    for (const from of [0, 2, 4]) {
      await batch(place, from, from + 2, 6);
      expect(await countsIn(place.driver)).toBe(`${4 - from}/${from + 2}`);
    }
    const { sent, lost } = await load.stop();
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    const { spec, metadata } = await place.deployment("tokyo");
    expect({ ...spec, template: undefined }).toEqual({ ...before.spec, template: undefined });
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith("midflight"))).toEqual([
      "midflight.dev/fence",
    ]);
  }, 180_000);

  test("what was turned back half-way has its exact template, in two ReplicaSets and not in three", async () => {
    const place = await begin(4);
    const before = await place.deployment("tokyo");
    await batch(place, 0, 2, 4);
    const decided = performance.now();
    await place.driver.traffic.weigh("tokyo", weighingOf(place, 2, 0), fence(), signal);
    const withdrawnMs = performance.now() - decided;
    await goBack(place, 4);
    expect(await countsIn(place.driver)).toBe("4/0");
    expect((await place.deployment("tokyo")).spec).toEqual(before.spec);
    const { items } = (await cluster
      .ground()
      .api.call("GET", `/apis/apps/v1/namespaces/tokyo/replicasets?labelSelector=app%3D${place.name}`)) as {
      readonly items: readonly unknown[];
    };
    expect(items).toHaveLength(2);
    expect(withdrawnMs).toBeLessThan(2_000);
  }, 120_000);

  test("what was promoted is rolled back to the template that its history keeps", async () => {
    const place = await begin(2);
    const before = await place.deployment("tokyo");
    await batch(place, 0, 2, 2);
    expect(await countsIn(place.driver)).toBe("0/2");
    await goBack(place, 2);
    expect(await countsIn(place.driver)).toBe("2/0");
    expect((await place.deployment("tokyo")).spec).toEqual(before.spec);
  }, 120_000);

  test("an image that is not there is not waited for", async () => {
    const place = await begin(1);
    const image = `localhost/gateway@sha256:${"0".repeat(64)}`;
    const { workload } = kubernetesDriver({ ...place.options, releases: { "gateway@9.9": { image } } });
    const shape: Shape = {
      ...shapeOf(place, 1, 0),
      releases: [
        { ...place.release("1.0"), count: 1 },
        { release: "gateway@9.9", digest: `sha256:${"0".repeat(64)}`, count: 1 },
      ],
    };
    const began = performance.now();
    await expect(workload.shape("tokyo", shape, fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("ErrImageNeverPull"),
    });
    expect(performance.now() - began).toBeLessThan(20_000);
  }, 60_000);

  test("somebody who scales a Deployment that is held is told, field by field", async () => {
    const place = await begin(2);
    await place.driver.workload.shape("tokyo", shapeOf(place, 2, 1), fence(), signal);
    await place.driver.traffic.weigh("tokyo", weighingOf(place, 2, 1), fence(), signal);
    await cluster
      .ground()
      .api.call(
        "PATCH",
        `/apis/apps/v1/namespaces/tokyo/deployments/${place.name}`,
        { spec: { replicas: 3 } },
        "application/merge-patch+json",
      );
    await expect(place.driver.workload.shape("tokyo", shapeOf(place, 1, 1), fence(), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("replicas: 2 → 3"),
    });
  }, 60_000);
});
