import { afterEach, describe, expect, test } from "vitest";
import { kubernetesDriver } from "../../src/adapters/kubernetes/driver.ts";
import { deploymentFacts } from "../../src/adapters/kubernetes/beside/facts.ts";
import type { Deployment } from "../../src/adapters/kubernetes/api/objects.ts";
import type { Shape } from "../../src/graph/observation.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import {
  batch,
  countsIn,
  deploymentIn,
  driven,
  fence,
  goBack,
  shapeOf,
  signal,
  weighingOf,
  type Driven,
  type Driver,
} from "../fakes/kube-driven.ts";
import { digestOf, imageOf, kubePlace, releaseOf, type KubePlace } from "../fakes/kube-place.ts";

// The driver over real HTTP, against controllers that keep the rules of Kubernetes. What the rules really are is tried in test/cluster.
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

async function begin(replicas: number): Promise<Driven<KubeCluster>> {
  const place = await kubePlace({ replicas });
  places.push(place);
  return driven(place, replicas);
}
const change = (cluster: KubeCluster, spec: Partial<Deployment["spec"]>): void => {
  const deployment = deploymentIn(cluster);
  cluster.put("deployments", "tokyo", { ...deployment, spec: { ...deployment.spec, ...spec } });
};

/** Resolves once a pod runs and is not ready: whoever needs it waits for it. */
async function waitedFor(cluster: KubeCluster, pod: string): Promise<void> {
  await expect.poll(() => cluster.get("pods", "tokyo", pod)?.status?.containerStatuses).toBeDefined();
}

describe("a stock Deployment", () => {
  test("is rolled by twos without a moment of less capacity, and nothing of the hold is left", async () => {
    const { tokyo, driver } = await begin(10);
    const before = deploymentIn(tokyo);
    tokyo.leastReady("tokyo");
    for (const from of [0, 2, 4, 6, 8]) {
      await batch(driver, from, from + 2, 10);
      expect(await countsIn(driver)).toBe(`${8 - from}/${from + 2}`);
    }
    const { spec, metadata } = deploymentIn(tokyo);
    expect(spec.template.spec.containers[0]?.image).toBe(imageOf("2.0"));
    expect({ ...spec, template: undefined }).toEqual({ ...before.spec, template: undefined });
    expect(Object.keys(metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
    const kept = tokyo.list("replicasets", "tokyo").flatMap((set) => Object.keys(set.metadata.annotations ?? {}));
    expect(kept, "kubectl rollout undo would bring the record back").not.toContain("midflight.dev/held");
    expect(tokyo.leastReady("tokyo")).toBeGreaterThanOrEqual(10);
    expect(tokyo.spread()).toBe(0);
    expect(tokyo.list("pods", "tokyo").filter(({ metadata: one }) => one.deletionTimestamp === undefined)).toHaveLength(
      10,
    );
  });

  test("is rolled without surplus too: the old ones leave, then the new ones come", async () => {
    const { tokyo, driver } = await begin(4);
    for (const fresh of [2, 4]) {
      await driver.workload.shape("tokyo", shapeOf(4 - fresh, fresh - 2), fence(), signal);
      expect(await countsIn(driver)).toBe(`${4 - fresh}/${fresh - 2}`);
      await driver.workload.shape("tokyo", shapeOf(4 - fresh, fresh), fence(), signal);
      await driver.traffic.weigh("tokyo", weighingOf(4 - fresh, fresh), fence(), signal);
      expect(await countsIn(driver)).toBe(`${4 - fresh}/${fresh}`);
    }
    expect(tokyo.spread()).toBe(0);
    expect(deploymentIn(tokyo).metadata.annotations?.["midflight.dev/held"]).toBeUndefined();
  });

  test("new pods stand in the dark under no label that a Service knows, and go when their turn has come", async () => {
    const { tokyo, driver } = await begin(2);
    const { instances } = await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    const dark = instances.find(({ digest }) => digest === digestOf("2.0"));
    expect(dark).toMatchObject({ id: "gateway-dark-222222-1", ready: true, weightPct: 0, ordinal: 1 });
    const pod = tokyo.get("pods", "tokyo", "gateway-dark-222222-1");
    expect(Object.keys(pod?.metadata.labels ?? {})).toEqual(["midflight.dev/dark", "midflight.dev/ordinal"]);
    expect(deploymentIn(tokyo).spec.template.spec.containers[0]?.image).toBe(imageOf("1.0"));
    await driver.traffic.weigh("tokyo", weighingOf(2, 1), fence(), signal);
    await expect.poll(() => tokyo.get("pods", "tokyo", "gateway-dark-222222-1")).toBeUndefined();
    expect(await countsIn(driver)).toBe("2/1");
  });

  test("an admission that brought pods which never get ready is no success when it is sent again", async () => {
    const { tokyo, driver } = await begin(2);
    tokyo.spoil(imageOf("2.0"));
    for (const turn of ["first", "second"])
      await expect(driver.traffic.weigh("tokyo", weighingOf(2, 1), fence(), signal), turn).rejects.toMatchObject({
        code: "INSTANCE_NOT_READY",
      });
    expect(await countsIn(driver)).toBe("2/0");
  });

  test("the next pods come while those leave whose places are taken: by one order, and with full capacity", async () => {
    const { tokyo, driver } = await begin(6);
    tokyo.leastReady("tokyo");
    await driver.traffic.weigh("tokyo", weighingOf(6, 2), fence(), signal);
    const before = deploymentIn(tokyo).metadata.generation ?? 0;
    await driver.traffic.weigh("tokyo", weighingOf(4, 4), fence(), signal);
    expect(await countsIn(driver)).toBe("4/4");
    expect(deploymentIn(tokyo).metadata.generation).toBe(before + 1);
    await driver.traffic.weigh("tokyo", weighingOf(2, 6), fence(), signal);
    await driver.workload.shape("tokyo", shapeOf(0, 6), fence(), signal);
    expect(await countsIn(driver)).toBe("0/6");
    expect(tokyo.leastReady("tokyo")).toBeGreaterThanOrEqual(6);
    expect(tokyo.spread()).toBe(0);
  });

  test("nobody leaves for the next pods while one that took a place does not serve", async () => {
    const { tokyo, driver } = await begin(4);
    await driver.traffic.weigh("tokyo", weighingOf(4, 2), fence(), signal);
    const fresh = (await driver.workload.observe("tokyo", signal)).instances.find(
      ({ release }) => release === "gateway@2.0",
    );
    tokyo.kill("tokyo", fresh?.id ?? "nobody");
    await expect(driver.traffic.weigh("tokyo", weighingOf(2, 4), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
    });
    expect(await countsIn(driver)).toBe("4/1");
  });

  test("a look that is under way while a pod in the dark is admitted counts its place once", async () => {
    const { place, tokyo, driver } = await begin(2);
    await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    // What comes now never gets ready, so that both are there for as long as this takes.
    tokyo.spoil(imageOf("2.0"));
    const admission = new AbortController();
    let admitted = Promise.resolve();
    tokyo.before({ method: "GET", kind: "pods" }, async () => {
      admitted = driver.traffic.weigh("tokyo", weighingOf(2, 1), fence(), admission.signal);
      await expect.poll(() => tokyo.list("pods", "tokyo").length).toBe(4);
    });
    // Whoever looks for the first time reads.
    const { instances } = await place.open().workload.observe("tokyo", signal);
    expect(instances.filter(({ release }) => release === "gateway@2.0")).toHaveLength(1);
    admission.abort(new Error("seen enough"));
    await expect(admitted).rejects.toThrow("seen enough");
  });

  test("that was turned back half-way has its exact template again, and pods that were fine were left alone", async () => {
    const { tokyo, driver } = await begin(6);
    const before = deploymentIn(tokyo);
    await batch(driver, 0, 2, 6);
    const survivors = (await driver.workload.observe("tokyo", signal)).instances.flatMap(({ id, digest }) =>
      digest === digestOf("1.0") ? [id] : [],
    );
    await driver.traffic.weigh("tokyo", weighingOf(4, 0), fence(), signal);
    expect((await driver.workload.observe("tokyo", signal)).instances.map(({ digest }) => digest)).not.toContain(
      digestOf("2.0"),
    );
    await goBack(driver, 6);
    expect(await countsIn(driver)).toBe("6/0");
    expect(deploymentIn(tokyo).spec).toEqual(before.spec);
    expect(Object.keys(deploymentIn(tokyo).metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
    expect(tokyo.list("replicasets", "tokyo")).toHaveLength(2);
    const ids = (await driver.workload.observe("tokyo", signal)).instances.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(survivors));
    expect(tokyo.spread()).toBe(0);
  });

  test("goes back although most of it is new and still in traffic: the old ones come first", async () => {
    const { tokyo, driver } = await begin(6);
    await batch(driver, 0, 2, 6);
    await batch(driver, 2, 4, 6);
    tokyo.leastReady("tokyo");
    await goBack(driver, 6);
    expect(await countsIn(driver)).toBe("6/0");
    expect(tokyo.leastReady("tokyo")).toBeGreaterThanOrEqual(6);
  });

  test("new pods that were withdrawn under suspicion come back when it clears", async () => {
    const { driver } = await begin(4);
    await batch(driver, 0, 2, 4);
    await driver.traffic.weigh("tokyo", weighingOf(2, 0), fence(), signal);
    await driver.traffic.weigh("tokyo", weighingOf(2, 2), fence(), signal);
    expect(await countsIn(driver)).toBe("2/2");
  });

  test("keeps who filled up the places of those that were withdrawn, also when the same is ordered again, as an undo begins", async () => {
    const { tokyo, driver } = await begin(4);
    await batch(driver, 0, 2, 4);
    await driver.traffic.weigh("tokyo", weighingOf(2, 0), fence(), signal);
    await expect.poll(() => countsIn(driver)).toBe("4/0");
    const filled = tokyo.list("pods", "tokyo").filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    await driver.traffic.weigh("tokyo", weighingOf(2, 0), fence(), signal);
    await goBack(driver, 4);
    const left = tokyo.list("pods", "tokyo").filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(left.map(({ metadata }) => metadata.name)).toEqual(filled.map(({ metadata }) => metadata.name));
  });

  test("is withdrawn from by one write, with its fence in it, and nothing is read before", async () => {
    const { tokyo, driver } = await begin(4);
    await driver.traffic.weigh("tokyo", weighingOf(4, 2), fence(), signal);
    const asked = tokyo.asked.length;
    const newest = fence();
    await driver.traffic.weigh("tokyo", weighingOf(4, 0), newest, signal);
    const [first, ...others] = tokyo.asked.slice(asked).filter((one) => one.endsWith("deployments/gateway"));
    expect(first).toBe("PATCH deployments/gateway");
    expect(others.slice(0, 1)).not.toContain("GET deployments/gateway");
    expect(deploymentIn(tokyo).metadata.annotations?.["midflight.dev/fence"]).toBe(`1.${newest.seq}`);
    expect(tokyo.asked.slice(asked).filter((one) => one.startsWith("DELETE pods"))).toHaveLength(2);
  });

  test("that got a late order of before in the meantime is looked at again: nothing goes over what nobody knew of", async () => {
    const { place, tokyo, driver } = await begin(2);
    const [late, newer] = [fence(), fence()];
    const third = [
      { digest: digestOf("1.0"), admitted: 2, weightPct: 100 },
      { digest: digestOf("3.0"), admitted: 1, weightPct: 100 },
    ];
    tokyo.before({ method: "PATCH", kind: "deployments" }, () =>
      place.open().traffic.weigh("tokyo", third, late, signal),
    );
    await expect(driver.traffic.weigh("tokyo", weighingOf(2, 1), newer, signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("a third release shall run"),
    });
    expect(deploymentIn(tokyo).spec.template.spec.containers[0]?.image).toBe(imageOf("3.0"));
    await expect(place.open().traffic.weigh("tokyo", third, late, signal)).rejects.toMatchObject({ code: "FENCED" });
  });

  test("keeps the fence of an order that was refused, so that none of before comes through", async () => {
    const { place, tokyo, driver } = await begin(2);
    const [late, newer] = [fence(), fence()];
    const unknown = [{ digest: digestOf("9.9"), admitted: 1, weightPct: 100 }];
    await expect(driver.traffic.weigh("tokyo", unknown, newer, signal)).rejects.toMatchObject({
      code: "RELEASE_DIGEST_MISMATCH",
    });
    expect(deploymentIn(tokyo).metadata.annotations?.["midflight.dev/fence"]).toBe(`1.${newer.seq}`);
    await expect(place.open().traffic.weigh("tokyo", weighingOf(2, 1), late, signal)).rejects.toMatchObject({
      code: "FENCED",
    });
  });

  test("that was promoted and let go is rolled back to the template that it had, from its own history", async () => {
    const { tokyo, driver } = await begin(4);
    const before = deploymentIn(tokyo);
    await batch(driver, 0, 2, 4);
    await batch(driver, 2, 4, 4);
    expect(await countsIn(driver)).toBe("0/4");
    await goBack(driver, 4);
    expect(await countsIn(driver)).toBe("4/0");
    expect(deploymentIn(tokyo).spec).toEqual(before.spec);
    expect(tokyo.list("replicasets", "tokyo")).toHaveLength(2);
  });

  // helm#7476: whoever died in the middle left a state that refused everybody after him. argo-rollouts#2117: two that act at once.
  test("that a dead conductor left held is taken over by the next one, which refuses whatever the dead one still sends", async () => {
    const { place, tokyo, driver } = await begin(4);
    const before = deploymentIn(tokyo);
    await batch(driver, 0, 2, 4);
    const next = place.open();
    await goBack(next, 4, 2);
    expect(await countsIn(next)).toBe("4/0");
    expect(deploymentIn(tokyo).spec).toEqual(before.spec);
    await expect(driver.workload.shape("tokyo", shapeOf(2, 4), fence(), signal)).rejects.toMatchObject({
      code: "FENCED",
    });
    expect(await countsIn(next)).toBe("4/0");
  });
});

describe("pods that nobody is sent to yet", () => {
  // Elsewhere pods were scaled down while all of the traffic still went to them: the tool asked itself, and not the balancer.
  test("do not count, however ready they are: no old pod leaves before the Service lists them (argo-rollouts#3333, argo-rollouts#4433)", async () => {
    const { tokyo, driver } = await begin(4);
    const oldPods = (): number =>
      tokyo
        .list("pods", "tokyo")
        .filter(({ spec, metadata }) => spec.containers[0]?.image === imageOf("1.0") && !metadata.deletionTimestamp)
        .length;
    await driver.workload.shape("tokyo", shapeOf(4, 2), fence(), signal);
    tokyo.holdEndpoints(true);
    await expect(driver.traffic.weigh("tokyo", weighingOf(4, 2), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("ready, and no endpoint of the Service"),
    });
    expect(oldPods()).toBe(4);
    await expect(driver.workload.shape("tokyo", shapeOf(2, 2), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
    });
    expect(oldPods()).toBe(4);
    tokyo.holdEndpoints(false);
    await driver.traffic.weigh("tokyo", weighingOf(4, 2), fence(), signal);
    await driver.workload.shape("tokyo", shapeOf(2, 2), fence(), signal);
    expect(await countsIn(driver)).toBe("2/2");
  });
});

describe("pods that waiting will not bring", () => {
  // Elsewhere such a rollout stood still past every deadline, or was restarted ten times before anybody was told.
  test.each<{
    reason: string;
    restarts?: number;
    says: string;
    where: string;
    order: (driver: Driver) => Promise<unknown>;
  }>([
    {
      reason: "CrashLoopBackOff",
      restarts: 2,
      says: "ends again and again, with exit status .* after 2 restarts",
      where: "in the dark",
      order: ({ workload }) => workload.shape("tokyo", shapeOf(2, 1), fence(), signal),
    },
    {
      reason: "ImagePullBackOff",
      says: "cannot pull its image.*no credentials",
      where: "in the dark",
      order: ({ workload }) => workload.shape("tokyo", shapeOf(2, 1), fence(), signal),
    },
    {
      reason: "CreateContainerConfigError",
      says: "cannot be started.*no credentials",
      where: "in the Deployment",
      order: ({ traffic }) => traffic.weigh("tokyo", weighingOf(2, 1), fence(), signal),
    },
  ])(
    "are not waited for: $reason $where is told long before the deadline (nomad#10465, containers-roadmap#1573)",
    async ({ reason, restarts = 0, says, order }) => {
      const { place, tokyo } = await begin(2);
      const config = { ...place.options.config, readyDeadlineMs: 3_600_000 };
      const patient = kubernetesDriver({ ...place.options, config });
      tokyo.spoil(imageOf("2.0"), { reason, restarts, message: "no credentials" });
      await expect(order(patient)).rejects.toMatchObject({
        code: "INSTANCE_NOT_READY",
        message: expect.stringMatching(new RegExp(says)),
      });
      expect(await countsIn(patient)).toBe("2/0");
    },
  );
});

describe("what somebody else does to a Deployment that is held", () => {
  // Elsewhere a deployment that an autoscaler had touched never ended.
  test("does not lose the rollout: once the number of pods is put back, the same order goes through (nomad#20295)", async () => {
    const { tokyo, driver } = await begin(4);
    await batch(driver, 0, 2, 4);
    change(tokyo, { replicas: 7 });
    await expect(driver.traffic.weigh("tokyo", weighingOf(2, 4), fence(), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
    });
    change(tokyo, { replicas: 4 });
    await expect.poll(() => countsIn(driver)).toBe("2/2");
    await batch(driver, 2, 4, 4);
    expect(await countsIn(driver)).toBe("0/4");
  });

  test("is told field by field, with the autoscaler that may have done it, and is left alone", async () => {
    const { tokyo, driver } = await begin(4);
    await batch(driver, 0, 2, 4);
    const spec = { scaleTargetRef: { kind: "Deployment", name: "gateway" } };
    tokyo.put("horizontalpodautoscalers", "tokyo", { metadata: { name: "by-load" }, spec });
    change(tokyo, { replicas: 7 });
    await expect(driver.workload.shape("tokyo", shapeOf(2, 4), fence(), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("replicas: 4 → 7 (it is managed by the HorizontalPodAutoscaler by-load)"),
      hint: expect.stringContaining("minReplicas"),
    });
    expect(deploymentIn(tokyo).spec.replicas).toBe(7);
  });

  test("is seen also where the image stayed the same", async () => {
    const { tokyo, driver } = await begin(2);
    await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    const { template } = deploymentIn(tokyo).spec;
    change(tokyo, { template: { ...template, metadata: { ...template.metadata, annotations: { restarted: "now" } } } });
    await expect(driver.traffic.weigh("tokyo", weighingOf(2, 1), fence(), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("template.metadata.annotations: nothing → "),
    });
  });

  test.each([
    { name: "a paused one is not begun with", spec: { paused: true }, code: "KUBERNETES_REFUSED", says: "is paused" },
    {
      name: "one in the middle of a rollout is not begun with",
      spec: {
        template: {
          metadata: { labels: { app: "gateway" } },
          spec: { containers: [{ name: "gateway", image: imageOf("3.0") }] },
        },
      },
      code: "FOREIGN_CHANGE",
      says: "",
    },
  ])("$name", async ({ spec, code, says }) => {
    const { tokyo, driver } = await begin(2);
    tokyo.spoil(imageOf("3.0"));
    change(tokyo, spec);
    // Its pods are there, or never will be.
    await expect
      .poll(
        () =>
          spec.paused === true ||
          tokyo.list("pods", "tokyo").some((pod) => pod.spec.containers[0]?.image === imageOf("3.0")),
      )
      .toBe(true);
    await expect(driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });
});

describe("an API server", () => {
  test("that throttles is waited for, as long as it says", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.refuse({
      method: "PATCH",
      kind: "deployments",
      status: 429,
      message: "slow down",
      headers: { "retry-after": "0" },
      times: 3,
    });
    await driver.workload.shape("tokyo", shapeOf(1, 0), fence(), signal);
    expect(deploymentIn(tokyo).metadata.annotations?.["midflight.dev/fence"]).toBeDefined();
  });

  test("that reports a conflict is read again, and written to with what is decided then", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.refuse({ method: "PATCH", kind: "deployments", status: 409, message: "modified", times: 3 });
    await driver.workload.shape("tokyo", shapeOf(1, 0), fence(), signal);
    expect(deploymentIn(tokyo).metadata.annotations?.["midflight.dev/fence"]).toBeDefined();
    tokyo.refuse({ method: "PATCH", kind: "deployments", status: 409, message: "modified", times: 100 });
    await expect(driver.workload.shape("tokyo", shapeOf(1, 0), fence(), signal)).rejects.toMatchObject({
      code: "KUBERNETES_CONFLICT",
    });
  });

  test.each([
    { method: "PATCH", kind: "deployments" as const, rule: 'resources: ["deployments"], verbs: ["patch"]' },
    { method: "POST", kind: "pods" as const, rule: 'resources: ["pods"], verbs: ["create"]' },
    { method: "GET", kind: "endpointslices" as const, rule: 'resources: ["endpointslices"], verbs: ["list"]' },
  ])(
    "that forbids $method of $kind is asked no further, and the rule to add is named",
    async ({ method, kind, rule }) => {
      const { place, tokyo } = await begin(1);
      tokyo.refuse({ method, kind, status: 403, message: "forbidden", times: 100 });
      await expect(place.open().workload.shape("tokyo", shapeOf(1, 1), fence(), signal)).rejects.toMatchObject({
        code: "KUBERNETES_FORBIDDEN",
        hint: expect.stringContaining(rule),
      });
    },
  );

  test("whose quota lets no pod in the dark be made says so at once", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.refuse({ method: "POST", kind: "pods", status: 403, message: "exceeded quota: pods, limited: pods=1" });
    await expect(driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal)).rejects.toMatchObject({
      code: "KUBERNETES_REFUSED",
      message: expect.stringContaining("exceeded quota: pods"),
    });
  });

  test("that forgot the version of a watch is listed anew, and nothing is missed", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.spoil(imageOf("2.0"));
    const shaped = driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal);
    await waitedFor(tokyo, "gateway-dark-222222-1");
    tokyo.forget();
    tokyo.endWatches();
    tokyo.revive("tokyo", "gateway-dark-222222-1");
    expect((await shaped).instances.filter(({ ready }) => ready)).toHaveLength(2);
  });

  test("is not asked at all while nothing happens", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.spoil(imageOf("2.0"));
    const shaped = driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal).catch((error: unknown) => error);
    await waitedFor(tokyo, "gateway-dark-222222-1");
    const asked = tokyo.asked.length;
    expect(await shaped).toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("gateway-dark-222222-1: it runs, and its readiness probe does not pass"),
    });
    // What was on its way, and why the pod does not get ready.
    expect(tokyo.asked.length - asked).toBeLessThanOrEqual(4);
  });

  test("that goes away while pods are waited for is unreachable, and nothing else is claimed", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.spoil(imageOf("2.0"));
    const shaped = driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal).catch((error: unknown) => error);
    await waitedFor(tokyo, "gateway-dark-222222-1");
    await tokyo.close();
    expect(await shaped).toMatchObject({ code: "WORKLOAD_UNREACHABLE" });
  });

  test("whose Deployment is deleted while it is worked on is told as somebody else's doing", async () => {
    const { tokyo, driver } = await begin(1);
    tokyo.spoil(imageOf("2.0"));
    const shaped = driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal).catch((error: unknown) => error);
    await waitedFor(tokyo, "gateway-dark-222222-1");
    tokyo.remove("deployments", "tokyo", "gateway");
    expect(await shaped).toMatchObject({ code: "FOREIGN_CHANGE", message: expect.stringContaining("was deleted") });
  });
});

describe("an environment file that is wrong about the cluster", () => {
  test.each([
    {
      name: "a context that the kubeconfig does not have",
      config: { contexts: { tokyo: "osaka" } },
      code: "KUBERNETES_NOT_FOUND",
      says: "no context osaka; it has tokyo, frankfurt",
    },
    {
      name: "a Deployment that is not there",
      config: { object: { kind: "Deployment" as const, name: "gatway" } },
      code: "KUBERNETES_NOT_FOUND",
      says: "there is no deployments/gatway in namespace tokyo",
    },
    {
      name: "a container that its pods do not have",
      config: { container: "app" },
      code: "KUBERNETES_NOT_FOUND",
      says: "has no container app; it has gateway",
    },
  ])("says so: $name", async ({ config, code, says }) => {
    const { place } = await begin(1);
    const { workload } = kubernetesDriver({ ...place.options, config: { ...place.options.config, ...config } });
    await expect(workload.observe("tokyo", signal)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
  });

  test("says so: a kubeconfig that is not there", async () => {
    const { place } = await begin(1);
    const { workload } = kubernetesDriver({ ...place.options, kubeconfig: "/nowhere/kubeconfig" });
    await expect(workload.observe("tokyo", signal)).rejects.toMatchObject({ code: "KUBECONFIG_UNUSABLE" });
  });

  test("says so: a weight that no Service can give", async () => {
    const { driver } = await begin(1);
    const weighing = [{ digest: digestOf("1.0"), admitted: 1, weightPct: 40 }];
    await expect(driver.traffic.weigh("tokyo", weighing, fence(), signal)).rejects.toMatchObject({
      code: "DRIVER_CANNOT",
    });
  });

  test("says so: a release whose image nobody names", async () => {
    const { driver } = await begin(1);
    const unknown = { release: "gateway@9.9", digest: digestOf("9.9"), count: 1 };
    const shape: Shape = { ...shapeOf(1, 0), releases: [{ ...releaseOf("1.0"), count: 1 }, unknown] };
    await expect(driver.workload.shape("tokyo", shape, fence(), signal)).rejects.toMatchObject({
      code: "RELEASE_DIGEST_MISMATCH",
    });
  });
});

test("what is set up in a cluster is told for comparison, also while an upgrade holds it", async () => {
  const { place, driver } = await begin(3);
  await driver.workload.shape("tokyo", shapeOf(3, 1), fence(), signal);
  await driver.traffic.weigh("tokyo", weighingOf(3, 1), fence(), signal);
  const facts = await deploymentFacts(place.options).collect(signal);
  const valueOf = (id: string) => facts.find((fact) => fact.id === id)?.value;
  expect(valueOf("gateway/tokyo/replicas")).toBe("3");
  expect(valueOf("gateway/tokyo/managed-by")).toBe("nobody else");
  expect(valueOf("gateway/tokyo/drain")).toBe("no preStop hook, 30 s");
  expect(valueOf("gateway/frankfurt/image")).toBe(imageOf("1.0"));
});
