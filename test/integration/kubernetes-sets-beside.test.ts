import { afterEach, describe, expect, test } from "vitest";
import { kubernetesAnnouncer } from "../../src/adapters/kubernetes/beside/announcer.ts";
import { kubernetesHolds } from "../../src/adapters/kubernetes/beside/holds.ts";
import type { PodSet } from "../../src/adapters/kubernetes/api/objects.ts";
import { kubernetesManagers } from "../../src/adapters/kubernetes/beside/pausing.ts";
import { kubernetesPreflight } from "../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { rolling, TELLING } from "../../src/adapters/kubernetes/beside/rights.ts";
import type { Hold } from "../../src/ports/holds.ts";
import { countsIn, driven, fence, shapeOf, signal, type Driven } from "../fakes/kube-driven.ts";
import { takeInRegion } from "../fakes/kube-lease.ts";
import { imageOf, kubeSetPlace, type KubePlace } from "../fakes/kube-place.ts";
import type { KubeSets } from "../fakes/kube-sets.ts";

// What stands around the driver, for pods that are replaced in their places. Over real HTTP, as the driver's own tests.
const places: KubePlace<KubeSets>[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

type Kind = "StatefulSet" | "DaemonSet";
type Stage = Driven<KubeSets>;

async function begin(kind: Kind, count: number, spec: Partial<PodSet["spec"]> = {}): Promise<Driven<KubeSets>> {
  const place = await kubeSetPlace({ kind, places: count, spec });
  places.push(place);
  return driven(place, count);
}

/** Some of the places are new, and one more is proved in the dark. */
async function half({ driver }: Stage, of: number): Promise<void> {
  await driver.workload.shape("tokyo", shapeOf(of - 1, 1), fence(), signal);
  await driver.workload.shape("tokyo", shapeOf(of - 1, 2), fence(), signal);
}
async function found({ place }: Stage, keeping: "old" | "new"): Promise<Hold> {
  const hold = await kubernetesHolds(place.options).look("tokyo", keeping, signal);
  if (hold === undefined) throw new Error("nothing is held");
  return hold;
}
const RESOURCES = { StatefulSet: "statefulsets", DaemonSet: "daemonsets" } as const;
const setIn = (cluster: KubeSets, kind: Kind): PodSet => {
  const set = cluster.get(RESOURCES[kind], "tokyo", "gateway");
  if (set === undefined) throw new Error("the set is gone");
  return set;
};

const VERBS: Readonly<Record<string, string>> = { WATCH: "watch", POST: "create", PATCH: "patch", DELETE: "delete" };
/** `GET pods/x` → `pods get`. */
function rightFor(asked: string): string {
  const [method = "", target = ""] = asked.split(" ");
  const [plural = "", name, subresource] = target.split("/");
  const verb = VERBS[method] ?? (name === undefined ? "list" : "get");
  // Events are read by the older API and written by the newer one.
  const resource = plural === "events" && verb === "create" ? "events.events.k8s.io" : plural;
  return `${resource}${subresource === undefined ? "" : `/${subresource}`} ${verb}`;
}

describe.each<Kind>(["StatefulSet", "DaemonSet"])("a stock %s", (kind) => {
  test("is asked for nothing that the printed rights do not allow, and for each of the rights that no accident needs", async () => {
    const { place, tokyo, driver } = await begin(kind, 2);
    expect(await kubernetesPreflight(place.options, {}).risks("tokyo", signal)).toContainEqual(
      expect.stringContaining("no readiness probe"),
    );
    await (await takeInRegion(place.options, "tokyo", { key: "prod/gateway", run: "r1" })).release();
    const announcer = kubernetesAnnouncer(place.options, "r1");
    announcer.announce({ component: "gateway", regions: ["tokyo"], reason: "Told", note: "it is", isWarning: false });
    await driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal);
    await driver.workload.shape("tokyo", shapeOf(1, 1), fence(), signal);
    await driver.workload.shape("tokyo", shapeOf(0, 2), fence(), signal);
    await announcer.flush(5_000);
    const asked = new Set(tokyo.asked.map((one) => rightFor(one)));
    const allowed = [...rolling(kind), ...TELLING].flatMap(({ resource, subresource, verbs }) =>
      verbs.map((verb) => `${resource}${subresource === undefined ? "" : `/${subresource}`} ${verb}`),
    );
    // A name that is taken, and a wait that ends without a reason: both are tried with Deployments.
    const accidents = ["pods get", "events list"];
    expect([...asked].toSorted()).toEqual(allowed.filter((one) => !accidents.includes(one)).toSorted());
    expect(tokyo.list("events", "tokyo")).toMatchObject([{ reason: "Told", regarding: { kind, name: "gateway" } }]);
  });

  test("that a dead run left held is put back to the last field, and its controller brings the old pods back", async () => {
    const stage = await begin(kind, 3);
    const before = setIn(stage.tokyo, kind);
    await half(stage, 3);
    const hold = await found(stage, "old");
    expect(hold).toMatchObject({
      place: `${kind.toLowerCase()} gateway in tokyo of tokyo`,
      stands: "2 of gateway@1.0 and 1 of gateway@2.0, where 3 are meant to be",
      dark: ["gateway-dark-222222-2"],
      stuck: [],
      staying: [],
    });
    expect(hold.changes.join("\n")).toContain("updateStrategy");
    await kubernetesHolds(stage.place.options).release(hold, "old", fence(2), signal);
    expect(setIn(stage.tokyo, kind).spec).toEqual(before.spec);
    expect(Object.keys(setIn(stage.tokyo, kind).metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
    await expect.poll(() => countsIn(stage.driver)).toBe("3/0");
    await expect.poll(() => stage.tokyo.get("pods", "tokyo", "gateway-dark-222222-2")).toBeUndefined();
    expect(await kubernetesHolds(stage.place.options).look("tokyo", "old", signal)).toBeUndefined();
  });

  test("goes on with the new release where that is wanted", async () => {
    const stage = await begin(kind, 3);
    await half(stage, 3);
    const hold = await found(stage, "new");
    expect(hold.changes.filter((line) => line.startsWith("template."))).toEqual([]);
    await kubernetesHolds(stage.place.options).release(hold, "new", fence(2), signal);
    await expect.poll(() => countsIn(stage.driver)).toBe("0/3");
  });

  test("says itself to Flux that it is left alone while a run lasts, and no longer", async () => {
    const { place, tokyo } = await begin(kind, 1);
    const set = setIn(tokyo, kind);
    const labels = { "kustomize.toolkit.fluxcd.io/name": "apps" };
    tokyo.put(RESOURCES[kind], "tokyo", { ...set, metadata: { ...set.metadata, labels } });
    const managers = kubernetesManagers(place.options);
    expect(await managers.pause("r1", signal)).toEqual(["the Flux kustomization apps waits, for gateway in tokyo"]);
    expect(setIn(tokyo, kind).metadata.annotations).toMatchObject({
      "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
    });
    expect(await managers.giveBack("r1", signal)).toEqual(["the Flux kustomization apps"]);
    expect(setIn(tokyo, kind).metadata.annotations).toEqual({});
  });
});

test("a pod of a StatefulSet that is not ready would be waited for for ever: it is shown, and deleted with the rest", async () => {
  const stage = await begin("StatefulSet", 3);
  stage.tokyo.spoil(imageOf("2.0"));
  await expect(stage.driver.workload.shape("tokyo", shapeOf(2, 1), fence(), signal)).rejects.toMatchObject({
    code: "INSTANCE_NOT_READY",
  });
  const hold = await found(stage, "old");
  expect(hold.stuck).toEqual(["gateway-2"]);
  await kubernetesHolds(stage.place.options).release(hold, "old", fence(2), signal);
  await expect.poll(() => countsIn(stage.driver)).toBe("3/0");
});

test("one that replaces nothing by itself is put back, and it is told which pods stay as they are", async () => {
  const stage = await begin("StatefulSet", 3, { updateStrategy: { type: "OnDelete" } });
  await half(stage, 3);
  const hold = await found(stage, "old");
  expect(hold.staying).toEqual(["gateway-2"]);
  await kubernetesHolds(stage.place.options).release(hold, "old", fence(2), signal);
  expect(await countsIn(stage.driver)).toBe("2/1");
});
