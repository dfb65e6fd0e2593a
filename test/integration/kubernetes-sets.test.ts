import { afterEach, describe, expect, test } from "vitest";
import { deploymentFacts } from "../../src/adapters/kubernetes/beside/facts.ts";
import type { PodSet } from "../../src/adapters/kubernetes/api/objects.ts";
import {
  countsIn,
  driven,
  fence,
  goBack,
  shapeOf,
  signal,
  weighingOf,
  type Driven,
  type Driver,
} from "../fakes/kube-driven.ts";
import type { KubeSets } from "../fakes/kube-sets.ts";
import { digestOf, imageOf, kubeSetPlace, type KubePlace } from "../fakes/kube-place.ts";

// StatefulSets and DaemonSets over real HTTP, against controllers that keep the rules of Kubernetes. What the rules really are is tried in test/cluster.
const places: KubePlace<KubeSets>[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

type Kind = "StatefulSet" | "DaemonSet";

async function begin(kind: Kind, count: number, spec: Partial<PodSet["spec"]> = {}): Promise<Driven<KubeSets>> {
  const place = await kubeSetPlace({ kind, places: count, spec });
  places.push(place);
  return driven(place, count);
}

/** What the engine orders for a batch in place: start in the dark, and give it the places. */
async function batch({ workload }: Driver, from: number, to: number, of: number): Promise<void> {
  await workload.shape("tokyo", shapeOf(of - from, to), fence(), signal);
  await workload.shape("tokyo", shapeOf(of - to, to), fence(), signal);
}
const resourceOf = (kind: Kind) => (kind === "StatefulSet" ? ("statefulsets" as const) : ("daemonsets" as const));
const setIn = (cluster: KubeSets, kind: Kind): PodSet => {
  const found = cluster.get(resourceOf(kind), "tokyo", "gateway");
  if (found === undefined) throw new Error("the set is gone");
  return found;
};
const imagesIn = (cluster: KubeSets): Readonly<Record<string, string>> =>
  Object.fromEntries(
    cluster
      .list("pods", "tokyo")
      .filter(({ metadata }) => metadata.labels?.["app"] === "gateway" && metadata.deletionTimestamp === undefined)
      .map(({ metadata, spec }) => [metadata.name, spec.containers[0]?.image ?? ""]),
  );

describe.each<Kind>(["StatefulSet", "DaemonSet"])("a stock %s", (kind) => {
  // kubernetes#89820: a budget allowed one pod to be missing, and an update took two at the same time.
  test("is replaced place by place, never more than one short, and nothing of the hold is left", async () => {
    const { tokyo, driver } = await begin(kind, 4);
    const before = setIn(tokyo, kind);
    tokyo.leastReady("tokyo");
    for (const from of [0, 2]) {
      await batch(driver, from, from + 2, 4);
      expect(await countsIn(driver)).toBe(`${2 - from}/${from + 2}`);
    }
    const { spec, metadata } = setIn(tokyo, kind);
    expect(spec.template.spec.containers[0]?.image).toBe(imageOf("2.0"));
    expect({ ...spec, template: undefined }).toEqual({ ...before.spec, template: undefined });
    expect(Object.keys(metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
    expect(tokyo.leastReady("tokyo")).toBeGreaterThanOrEqual(3);
    await expect.poll(() => tokyo.list("pods", "tokyo").length).toBe(4);
  });

  test("is replaced without a proof in the dark too", async () => {
    const { tokyo, driver } = await begin(kind, 3);
    for (const fresh of [1, 3]) {
      await driver.workload.shape("tokyo", shapeOf(3 - fresh, fresh), fence(), signal);
      expect(await countsIn(driver)).toBe(`${3 - fresh}/${fresh}`);
    }
    expect(tokyo.asked.some((one) => one === "POST pods")).toBe(false);
  });

  test("is proved by a pod of its own, under no label that a Service knows, and stands as it did", async () => {
    const { tokyo, driver } = await begin(kind, 2);
    const before = setIn(tokyo, kind);
    const { instances } = await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    expect(instances.find(({ digest }) => digest === digestOf("2.0"))).toMatchObject({
      id: "gateway-dark-222222-1",
      ready: true,
      weightPct: 0,
      ordinal: 1,
    });
    const pod = tokyo.get("pods", "tokyo", "gateway-dark-222222-1");
    expect(Object.keys(pod?.metadata.labels ?? {})).toEqual(["midflight.dev/dark", "midflight.dev/ordinal"]);
    expect(setIn(tokyo, kind).spec).toEqual(before.spec);
    expect(await countsIn(driver)).toBe("2/0");
    await driver.workload.shape("tokyo", shapeOf(2, 0), fence(), signal);
    await expect.poll(() => tokyo.get("pods", "tokyo", "gateway-dark-222222-1")).toBeUndefined();
    expect(Object.keys(setIn(tokyo, kind).metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
  });

  test("what was told twice is done once", async () => {
    const { tokyo, driver } = await begin(kind, 2);
    const order = shapeOf(1, 1);
    const once = fence();
    const first = await driver.workload.shape("tokyo", order, once, signal);
    const images = imagesIn(tokyo);
    expect(await driver.workload.shape("tokyo", order, once, signal)).toEqual(first);
    expect(imagesIn(tokyo)).toEqual(images);
  });

  test("withdrawn pods are gone at once, the old ones come back, and the exact template with them", async () => {
    const { tokyo, driver } = await begin(kind, 4);
    const before = setIn(tokyo, kind);
    await batch(driver, 0, 2, 4);
    await driver.traffic.weigh("tokyo", weighingOf(2, 0), fence(), signal);
    expect((await driver.workload.observe("tokyo", signal)).instances.map(({ digest }) => digest)).not.toContain(
      digestOf("2.0"),
    );
    await goBack(driver, 4);
    expect(await countsIn(driver)).toBe("4/0");
    expect(setIn(tokyo, kind).spec).toEqual(before.spec);
    expect(Object.keys(setIn(tokyo, kind).metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
  });

  test("withdrawn under suspicion, they take their places again when it clears", async () => {
    const { driver } = await begin(kind, 4);
    await batch(driver, 0, 2, 4);
    await driver.traffic.weigh("tokyo", weighingOf(2, 0), fence(), signal);
    await driver.traffic.weigh("tokyo", weighingOf(2, 2), fence(), signal);
    expect(await countsIn(driver)).toBe("2/2");
  });

  test("goes back although most of it is new, and not all at once", async () => {
    const { tokyo, driver } = await begin(kind, 4);
    await batch(driver, 0, 3, 4);
    tokyo.leastReady("tokyo");
    await goBack(driver, 4);
    expect(await countsIn(driver)).toBe("4/0");
    expect(tokyo.leastReady("tokyo")).toBeGreaterThanOrEqual(1);
  });

  test("a way back that is ordered twice starts nobody in the dark", async () => {
    const { tokyo, driver } = await begin(kind, 4);
    await batch(driver, 0, 2, 4);
    await driver.workload.shape("tokyo", shapeOf(4, 2), fence(), signal);
    const started = tokyo.asked.filter((one) => one === "POST pods").length;
    const { instances } = await driver.workload.shape("tokyo", shapeOf(4, 2), fence(), signal);
    expect(instances.map(({ digest }) => digest)).toEqual(Array.from({ length: 4 }, () => digestOf("1.0")));
    expect(tokyo.asked.filter((one) => one === "POST pods")).toHaveLength(started);
    await driver.workload.shape("tokyo", shapeOf(4, 0), fence(), signal);
    expect(Object.keys(setIn(tokyo, kind).metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
  });

  test("promoted and let go, it is rolled back to the template that its own history keeps", async () => {
    const { tokyo, driver } = await begin(kind, 2);
    const before = setIn(tokyo, kind);
    await batch(driver, 0, 2, 2);
    expect(await countsIn(driver)).toBe("0/2");
    await goBack(driver, 2);
    expect(await countsIn(driver)).toBe("2/0");
    expect(setIn(tokyo, kind).spec).toEqual(before.spec);
  });

  // kubernetes#67250: the old template alone does not bring a broken pod of a StatefulSet back.
  test("a release that never gets ready stops at its first place, and goes back although its pod is broken", async () => {
    const { tokyo, driver } = await begin(kind, 3);
    tokyo.spoil(imageOf("3.0"));
    await expect(driver.workload.shape("tokyo", shapeOf(1, 2, "3.0"), fence(), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("its readiness probe does not pass"),
    });
    expect(Object.values(imagesIn(tokyo)).filter((image) => image === imageOf("3.0"))).toHaveLength(1);
    await driver.workload.shape("tokyo", shapeOf(3, 0, "3.0"), fence(), signal);
    expect(await countsIn(driver)).toBe("3/0");
  });

  test("left held by a dead conductor, it is taken over by the next one, which refuses whatever the dead one still sends", async () => {
    const { place, tokyo, driver } = await begin(kind, 2);
    const before = setIn(tokyo, kind);
    await batch(driver, 0, 1, 2);
    const next = place.open();
    await goBack(next, 2, 2);
    expect(setIn(tokyo, kind).spec).toEqual(before.spec);
    await expect(driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal)).rejects.toMatchObject({
      code: "FENCED",
    });
    expect(await countsIn(next)).toBe("2/0");
  });

  test("what somebody else changes in the middle is told field by field, and left alone", async () => {
    const { tokyo, driver } = await begin(kind, 2);
    await driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal);
    const set = setIn(tokyo, kind);
    const template = { ...set.spec.template, metadata: { ...set.spec.template.metadata, annotations: { by: "hand" } } };
    tokyo.put(resourceOf(kind), "tokyo", { ...set, spec: { ...set.spec, template } });
    await expect(driver.workload.shape("tokyo", shapeOf(0, 2), fence(), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("template.metadata.annotations: nothing → "),
    });
  });

  test("keeps a pod in each place, and is not told to have fewer", async () => {
    const { driver } = await begin(kind, 2);
    await expect(driver.workload.shape("tokyo", shapeOf(1, 0), fence(), signal)).rejects.toMatchObject({
      code: "DRIVER_CANNOT",
      message: expect.stringContaining("each of its 2 places"),
    });
  });

  test("is told for comparison as it will be again, also while an upgrade holds it", async () => {
    const { place, driver } = await begin(kind, 3);
    await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    const facts = await deploymentFacts(place.options).collect(signal);
    expect(facts.find(({ id }) => id === "gateway/tokyo/replicas")?.value).toBe("3");
    expect(facts.find(({ id }) => id === "gateway/frankfurt/image")?.value).toBe(imageOf("1.0"));
  });
});

describe("a StatefulSet", () => {
  test("gives up its highest numbers first", async () => {
    const { tokyo, driver } = await begin("StatefulSet", 3);
    await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    expect(imagesIn(tokyo)).toEqual({
      "gateway-0": imageOf("1.0"),
      "gateway-1": imageOf("1.0"),
      "gateway-2": imageOf("2.0"),
    });
  });

  test("claims no volume for a pod in the dark: it gets an empty one under the same name", async () => {
    const { tokyo, driver } = await begin("StatefulSet", 2, {
      volumeClaimTemplates: [{ metadata: { name: "book" } }],
    });
    await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    expect(tokyo.get("pods", "tokyo", "gateway-dark-222222-1")?.spec).toMatchObject({
      volumes: [{ name: "book", emptyDir: {} }],
    });
    expect(setIn(tokyo, "StatefulSet").spec.template.spec.volumes).toBeUndefined();
  });

  test("that replaces on request alone does so again when it is let go", async () => {
    const { tokyo, driver } = await begin("StatefulSet", 2, { updateStrategy: { type: "OnDelete" } });
    await batch(driver, 0, 2, 2);
    expect(await countsIn(driver)).toBe("0/2");
    expect(setIn(tokyo, "StatefulSet").spec.updateStrategy).toEqual({ type: "OnDelete" });
  });

  test("in the middle of somebody else's rollout is not begun with", async () => {
    const { tokyo, driver } = await begin("StatefulSet", 2);
    tokyo.spoil(imageOf("3.0"));
    const set = setIn(tokyo, "StatefulSet");
    const containers = [{ name: "gateway", image: imageOf("3.0") }];
    const template = { ...set.spec.template, spec: { containers } };
    tokyo.put("statefulsets", "tokyo", { ...set, spec: { ...set.spec, template } });
    await expect.poll(() => Object.values(imagesIn(tokyo))).toContain(imageOf("3.0"));
    await expect(driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("in the middle of a rollout"),
    });
  });
});

describe("a DaemonSet", () => {
  const budget = {
    method: "POST",
    kind: "pods" as const,
    subresource: "eviction",
    status: 429,
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [
        {
          reason: "DisruptionBudget",
          message: "The disruption budget gateway needs 2 healthy pods and has 2 currently",
        },
      ],
    },
  };

  // kubernetes#34776: updates take pods away past their PodDisruptionBudgets.
  test("is emptied by evictions and by nothing else, so that disruption budgets are kept", async () => {
    const { tokyo, driver } = await begin("DaemonSet", 2);
    await driver.workload.shape("tokyo", shapeOf(0, 2), fence(), signal);
    expect(tokyo.asked.filter((one) => one.startsWith("POST pods/"))).toHaveLength(2);
    expect(tokyo.asked.filter((one) => one.startsWith("DELETE"))).toEqual([]);
  });

  test("whose budget allows no pod to leave is waited for", async () => {
    const { tokyo, driver } = await begin("DaemonSet", 2);
    tokyo.refuse({ ...budget, times: 1 });
    await driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal);
    expect(await countsIn(driver)).toBe("1/1");
    expect(tokyo.asked.filter((one) => one.endsWith("/eviction"))).toHaveLength(2);
  });

  test("whose budget never allows it says so, with the budget, and its pod stays", async () => {
    const { tokyo, driver } = await begin("DaemonSet", 2);
    tokyo.refuse({ ...budget, times: 100 });
    await expect(driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal)).rejects.toMatchObject({
      code: "KUBERNETES_EVICTION_REFUSED",
      message: expect.stringMatching(
        /on node node-1 may not leave.*The disruption budget gateway needs 2 healthy pods/,
      ),
      hint: expect.stringContaining("poddisruptionbudgets"),
    });
    expect(await countsIn(driver)).toBe("2/0");
  });

  test("whose conductor died before the eviction is carried on with by the next one", async () => {
    const { place, tokyo, driver } = await begin("DaemonSet", 2);
    const dying = new AbortController();
    tokyo.refuse({ ...budget, times: 1 });
    const shaped = driver.workload
      .shape("tokyo", shapeOf(1, 1), fence(), dying.signal)
      .catch((error: unknown) => error);
    await expect.poll(() => tokyo.asked.filter((one) => one.endsWith("/eviction")).length).toBe(1);
    dying.abort(new Error("the conductor died"));
    expect(await shaped).toMatchObject({ message: "the conductor died" });
    expect(await countsIn(driver)).toBe("2/0");
    await place.open().workload.shape("tokyo", shapeOf(1, 1), fence(), signal);
    expect(await countsIn(driver)).toBe("1/1");
  });

  test("whose pods this user may not evict names the rule to add", async () => {
    const { tokyo, driver } = await begin("DaemonSet", 2);
    tokyo.refuse({ method: "POST", kind: "pods", subresource: "eviction", status: 403, message: "no", times: 100 });
    await expect(driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal)).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      hint: expect.stringContaining('resources: ["pods/eviction"], verbs: ["create"]'),
    });
  });
});
