import { afterEach, describe, expect, test } from "vitest";
import { killPods } from "../../src/adapters/kubernetes/kill-pods.ts";
import type { KubeApi } from "../fakes/kube-api.ts";
import { kubePlace, kubeSetPlace, releaseOf } from "../fakes/kube-place.ts";
import { eventually } from "../fakes/watched-venue.ts";
import { standing } from "../fakes/kube-standing.ts";

// What a drill does to pods: they are dead, and so is whoever comes in their place, until that is over.
const { signal } = new AbortController();
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const namesIn = (api: KubeApi, region: string): readonly string[] =>
  api
    .list("pods", region)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name)
    .toSorted();

describe("pods that a drill kills", () => {
  test("are replaced by their controller, die again, and stay once that is over", async () => {
    const place = await kubePlace({ replicas: 3 });
    cleanups.push(place.close);
    const { tokyo, workload } = await standing(place, 3);
    const before = namesIn(tokyo, "tokyo");
    const killing = await killPods(place.options, "tokyo");
    cleanups.push(() => killing.stop());
    expect(killing.count).toBe(3);
    const second = await expect
      .poll(() => namesIn(tokyo, "tokyo").filter((name) => !before.includes(name)), { timeout: 5_000 })
      .toHaveLength(3)
      .then(() => namesIn(tokyo, "tokyo"));
    await expect
      .poll(() => namesIn(tokyo, "tokyo").filter((name) => second.includes(name)), { timeout: 5_000 })
      .toEqual([]);
    await killing.stop();
    const readyNow = async () => (await workload.observe("tokyo", signal)).instances.filter(({ ready }) => ready);
    await expect.poll(async () => (await readyNow()).length, { timeout: 5_000 }).toBe(3);
    const back = (await readyNow()).map(({ id }) => id);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await readyNow()).map(({ id }) => id)).toEqual(back);
    expect(namesIn(place.clusters["frankfurt"] ?? tokyo, "frankfurt")).toHaveLength(3);
  }, 30_000);

  test("are those of one release alone, where it is named, also in the dark", async () => {
    const place = await kubePlace({ replicas: 2 });
    cleanups.push(place.close);
    const { tokyo, workload } = await standing(place, 2);
    const old = namesIn(tokyo, "tokyo");
    const releases = [
      { ...releaseOf("1.0"), count: 2 },
      { ...releaseOf("2.0"), count: 1 },
    ];
    await workload.shape(
      "tokyo",
      { releases, drain: { noticeMs: 0, deadlineMs: 1_000 } },
      { epoch: 1, seq: 1 },
      signal,
    );
    expect(namesIn(tokyo, "tokyo")).toHaveLength(3);
    const killing = await killPods(place.options, "tokyo", releaseOf("2.0").digest);
    cleanups.push(() => killing.stop());
    expect(killing.count).toBe(1);
    // A single pod has nobody who brings it back.
    await expect.poll(() => namesIn(tokyo, "tokyo"), { timeout: 5_000 }).toEqual(old);
  }, 30_000);

  test("are nobody where nobody is, and may come back twice", async () => {
    const place = await kubePlace({ replicas: 1 });
    cleanups.push(place.close);
    await standing(place, 1);
    const killing = await killPods(place.options, "tokyo", releaseOf("3.0").digest);
    expect(killing.count).toBe(0);
    await killing.stop();
    await killing.stop();
  });

  test("may belong to a StatefulSet, where the next one has the name of the one that died", async () => {
    const place = await kubeSetPlace({ kind: "StatefulSet", places: 2 });
    cleanups.push(place.close);
    const { workload } = place.open();
    const ready = async () =>
      (await workload.observe("tokyo", signal)).instances.filter((one) => one.ready).map(({ id }) => id);
    await expect.poll(ready).toHaveLength(2);
    const uids = (): readonly unknown[] =>
      place.clusters["tokyo"]?.list("pods", "tokyo").map(({ metadata }) => metadata.uid) ?? [];
    const others = (known: readonly unknown[]) => () =>
      uids().filter((uid) => !known.includes(uid)).length === 2 ? uids() : undefined;
    const first = uids();
    const killing = await killPods(place.options, "tokyo");
    cleanups.push(() => killing.stop());
    expect(killing.count).toBe(2);
    const second = await eventually(others(first), 5_000, () => "two pods in their places");
    await eventually(others([...first, ...second]), 5_000, () => "two more in theirs");
    await killing.stop();
    await expect.poll(ready, { timeout: 5_000 }).toHaveLength(2);
  });
});

test("a region whose API server does not answer has nobody who can be killed, and says so", async () => {
  const place = await kubePlace({ replicas: 1 });
  await place.close();
  await expect(killPods(place.options, "tokyo")).rejects.toMatchObject({ code: "WORKLOAD_UNREACHABLE" });
}, 30_000);
