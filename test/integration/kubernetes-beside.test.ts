import { afterEach, describe, expect, test } from "vitest";
import { kubernetesAnnouncer } from "../../src/adapters/kubernetes/beside/announcer.ts";
import { kubernetesHolds } from "../../src/adapters/kubernetes/beside/holds.ts";
import { kubernetesManagers } from "../../src/adapters/kubernetes/beside/pausing.ts";
import { kubernetesPreflight } from "../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { PAUSING, rolling, TELLING, type Right } from "../../src/adapters/kubernetes/beside/rights.ts";
import type { Shape } from "../../src/graph/observation.ts";
import type { Announcement } from "../../src/ports/announcer.ts";
import type { Hold } from "../../src/ports/holds.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import {
  batch,
  countsIn,
  deploymentIn,
  driven,
  fence,
  shapeOf,
  signal,
  weighingOf,
  type Driven,
} from "../fakes/kube-driven.ts";
import { takeInRegion } from "../fakes/kube-lease.ts";
import { imageOf, kubePlace, releaseOf, type KubePlace } from "../fakes/kube-place.ts";

// What stands around the driver: rights, holds that a dead run left, managers that wait, events. Over real HTTP, as the driver's own tests.
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

async function begin(replicas: number): Promise<Driven<KubeCluster>> {
  const place = await kubePlace({ replicas });
  places.push(place);
  return driven(place, replicas);
}
const label = (cluster: KubeCluster, labels: Readonly<Record<string, string>>): void => {
  const deployment = deploymentIn(cluster);
  cluster.put("deployments", "tokyo", { ...deployment, metadata: { ...deployment.metadata, labels } });
};
const annotationsOf = (cluster: KubeCluster): Readonly<Record<string, string>> =>
  deploymentIn(cluster).metadata.annotations ?? {};

const allowedBy = (rights: readonly Right[]): readonly string[] =>
  rights
    .flatMap(({ resource, subresource, verbs }) =>
      verbs.map((verb) => `${resource}${subresource === undefined ? "" : `/${subresource}`} ${verb}`),
    )
    .toSorted();

/** `GET pods/x` → `pods get`. */
function rightFor(asked: string): string {
  const [method = "", target = ""] = asked.split(" ");
  const [plural = "", name, subresource] = target.split("/");
  const verbs: Readonly<Record<string, string>> = {
    GET: name === undefined ? "list" : "get",
    WATCH: "watch",
    POST: "create",
    PATCH: "patch",
    DELETE: "delete",
  };
  // Events are read by the older API and written by the newer one.
  const resource = plural === "events" && method === "POST" ? "events.events.k8s.io" : plural;
  return `${resource}${subresource === undefined ? "" : `/${subresource}`} ${verbs[method] ?? method}`;
}

test("everything that is asked of an API server stands in the table of rights, and nothing stands there that is never asked", async () => {
  const { place, tokyo, driver } = await begin(2);
  label(tokyo, { "argocd.argoproj.io/instance": "venue", "helm.toolkit.fluxcd.io/name": "chart" });
  tokyo.put("applications", "argocd", { metadata: { name: "venue" }, spec: {} });
  tokyo.put("helmreleases", "tokyo", { metadata: { name: "chart" }, spec: {} });
  await kubernetesPreflight(place.options, {}).risks("tokyo", signal);
  const managers = kubernetesManagers(place.options);
  await managers.pause("r1", signal);
  await (await takeInRegion(place.options, "tokyo", { key: "prod/gateway", run: "r1" })).release();
  const announcer = kubernetesAnnouncer(place.options, "r1");
  announcer.announce({ component: "gateway", regions: ["tokyo"], reason: "Told", note: "it is", isWarning: false });
  await batch(driver, 0, 2, 2);
  const back = (): Promise<unknown> =>
    driver.workload.shape("tokyo", { ...shapeOf(0, 2), releases: twoBack() }, fence(), signal);
  // A pod that somebody else called so: whose it is has to be looked up.
  tokyo.put("pods", "tokyo", { metadata: { name: "gateway-dark-111111-1" }, spec: { containers: [] } });
  await expect(back()).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
  // One that waits without a reason: what events say of it is looked up.
  tokyo.remove("pods", "tokyo", "gateway-dark-111111-1");
  tokyo.put("pods", "tokyo", waitingPod());
  await expect(back()).rejects.toMatchObject({ code: "INSTANCE_NOT_READY" });
  await announcer.flush(5_000);
  await managers.giveBack("r1", signal);
  const asked = new Set(tokyo.asked.map((one) => rightFor(one)));
  expect([...asked].toSorted()).toEqual(allowedBy([...rolling("Deployment"), ...TELLING, ...PAUSING]));
});

test("a wait that ends without a reason says so where this user may not read events, with the rule to add", async () => {
  const { tokyo, driver } = await begin(2);
  await batch(driver, 0, 2, 2);
  tokyo.put("pods", "tokyo", waitingPod());
  tokyo.refuse({ method: "GET", kind: "events", status: 403, message: "no", times: 100 });
  await expect(
    driver.workload.shape("tokyo", { ...shapeOf(0, 2), releases: twoBack() }, fence(), signal),
  ).rejects.toMatchObject({
    code: "INSTANCE_NOT_READY",
    message: expect.stringMatching(/may not list events .*resources: \["events"\], verbs: \["list"\]/),
  });
});

/** The new release stands, and one pod of another one shall come up in the dark. */
const twoBack = (): Shape["releases"] => [
  { ...releaseOf("2.0"), count: 2 },
  { ...releaseOf("1.0"), count: 1 },
];
const waitingPod = () => ({
  metadata: {
    name: "gateway-dark-111111-1",
    labels: { "midflight.dev/dark": "gateway", "midflight.dev/ordinal": "1" },
  },
  spec: { containers: [{ name: "gateway", image: imageOf("1.0") }] },
  status: { phase: "Pending" },
});

describe("a Deployment that a dead run left held", () => {
  async function left(stage: Driven<KubeCluster>): Promise<Hold> {
    await batch(stage.driver, 0, 2, 4);
    await stage.driver.workload.shape("tokyo", shapeOf(2, 3), fence(), signal);
    return found(stage, "old");
  }
  async function found({ place }: Driven<KubeCluster>, keeping: "old" | "new"): Promise<Hold> {
    const hold = await kubernetesHolds(place.options).look("tokyo", keeping, signal);
    if (hold === undefined) throw new Error("nothing is held");
    return hold;
  }

  test("is shown field by field, and touched only when it is freed", async () => {
    const stage = await begin(4);
    const hold = await left(stage);
    const before = deploymentIn(stage.tokyo);
    expect(hold).toMatchObject({
      place: "deployment gateway in tokyo of tokyo",
      stands: "2 of gateway@1.0 and 2 of gateway@2.0, where 4 are meant to be",
      dark: ["gateway-dark-222222-3"],
      waiting: [],
    });
    expect(hold.changes).toContain("minReadySeconds: 2147483646 → nothing");
    expect(hold.changes.filter((line) => line.startsWith("template."))).toHaveLength(1);
    expect(await found(stage, "old")).toEqual(hold);
    expect(deploymentIn(stage.tokyo).spec).toEqual(before.spec);
  });

  test("is put back to the last field, its controller brings the old pods back, and nothing is left of the run", async () => {
    const stage = await begin(4);
    const { place, tokyo, driver } = stage;
    const before = deploymentIn(tokyo);
    const hold = await left(stage);
    await kubernetesHolds(place.options).release(hold, "old", fence(2), signal);
    expect(deploymentIn(tokyo).spec).toEqual(before.spec);
    expect(Object.keys(annotationsOf(tokyo))).toEqual(["midflight.dev/fence"]);
    await expect.poll(() => countsIn(driver)).toBe("4/0");
    await expect.poll(() => tokyo.get("pods", "tokyo", "gateway-dark-222222-3")).toBeUndefined();
    const kept = tokyo.list("replicasets", "tokyo").flatMap((set) => Object.keys(set.metadata.annotations ?? {}));
    expect(kept).not.toContain("midflight.dev/held");
    await expect(driver.workload.shape("tokyo", shapeOf(4, 1), fence(1), signal)).rejects.toMatchObject({
      code: "FENCED",
    });
    expect(await kubernetesHolds(place.options).look("tokyo", "old", signal)).toBeUndefined();
  });

  test("goes on with the new release where that is wanted", async () => {
    const stage = await begin(4);
    await left(stage);
    const hold = await found(stage, "new");
    expect(hold.changes.filter((line) => line.startsWith("template."))).toEqual([]);
    await kubernetesHolds(stage.place.options).release(hold, "new", fence(2), signal);
    await expect.poll(() => countsIn(stage.driver)).toBe("0/4");
  });

  test("is freed also when somebody changed it meanwhile: it was shown", async () => {
    const stage = await begin(4);
    await left(stage);
    const { spec, metadata } = deploymentIn(stage.tokyo);
    stage.tokyo.put("deployments", "tokyo", { metadata, spec: { ...spec, progressDeadlineSeconds: 5 } });
    const hold = await found(stage, "old");
    expect(hold.changes).toContain("progressDeadlineSeconds: 5 → 600");
    await kubernetesHolds(stage.place.options).release(hold, "old", fence(2), signal);
    expect(deploymentIn(stage.tokyo).spec.progressDeadlineSeconds).toBe(600);
  });

  test("is left alone when its run turns out to live, or a newer one acts", async () => {
    const stage = await begin(4);
    const hold = await left(stage);
    const holds = kubernetesHolds(stage.place.options);
    const before = deploymentIn(stage.tokyo).spec;
    await expect(holds.release(hold, "old", fence(0), signal)).rejects.toMatchObject({ code: "FENCED" });
    expect(deploymentIn(stage.tokyo).spec).toEqual(before);
    await stage.driver.traffic.weigh("tokyo", weighingOf(2, 0), fence(), signal);
    const now = deploymentIn(stage.tokyo).spec;
    await expect(holds.release(hold, "old", fence(2), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("that run lives"),
    });
    expect(deploymentIn(stage.tokyo).spec).toEqual(now);
  });
});

describe("a manager of a Deployment", () => {
  const RECONCILE = "kustomize.toolkit.fluxcd.io/reconcile";
  const SKIP = "argocd.argoproj.io/skip-reconcile";
  const application = (cluster: KubeCluster) => cluster.get("applications", "argocd", "venue")?.metadata.annotations;

  test("waits while a run lasts, and nothing of that is left, not in the Deployment's history either", async () => {
    const { place, tokyo } = await begin(2);
    label(tokyo, { "kustomize.toolkit.fluxcd.io/name": "apps" });
    const managers = kubernetesManagers(place.options);
    expect(await managers.pause("r1", signal)).toEqual(["the Flux kustomization apps waits, for gateway in tokyo"]);
    expect(annotationsOf(tokyo)[RECONCILE]).toBe("disabled");
    const copies = () =>
      tokyo.list("replicasets", "tokyo").flatMap((set) => Object.keys(set.metadata.annotations ?? {}));
    await expect.poll(copies).toContain(RECONCILE);
    expect(await managers.giveBack("r1", signal)).toEqual(["the Flux kustomization apps"]);
    expect(annotationsOf(tokyo)).toEqual({});
    expect(copies().filter((name) => name === RECONCILE || name.startsWith("midflight.dev/"))).toEqual([]);
  });

  test("waits for the last of two runs", async () => {
    const { place, tokyo } = await begin(1);
    label(tokyo, { "argocd.argoproj.io/instance": "venue" });
    tokyo.put("applications", "argocd", { metadata: { name: "venue" }, spec: {} });
    const managers = kubernetesManagers(place.options);
    await managers.pause("r1", signal);
    await managers.pause("r2", signal);
    expect(await managers.giveBack("r1", signal)).toEqual([]);
    expect(application(tokyo)?.[SKIP]).toBe("true");
    expect(await managers.giveBack("r2", signal)).toEqual(["the Argo CD application venue"]);
    expect(application(tokyo)).toEqual({});
  });

  test("that cannot be told keeps a run from beginning, and says how he is paused by hand", async () => {
    const { place, tokyo } = await begin(1);
    label(tokyo, { "argocd.argoproj.io/instance": "venue", "kustomize.toolkit.fluxcd.io/name": "apps" });
    await expect(kubernetesManagers(place.options).pause("r1", signal)).rejects.toMatchObject({
      code: "MANAGER_NOT_PAUSED",
      message: expect.stringContaining("there is no applications/venue in namespace argocd"),
      hint: expect.stringContaining("argocd app set venue --sync-policy none"),
    });
    expect(annotationsOf(tokyo)).toEqual({});
  });

  test("to whom this user may not write is named with the rule to add", async () => {
    const { place, tokyo } = await begin(1);
    label(tokyo, { "argocd.argoproj.io/instance": "venue" });
    tokyo.put("applications", "argocd", { metadata: { name: "venue" }, spec: {} });
    tokyo.refuse({ method: "PATCH", kind: "applications", status: 403, message: "no", times: 100 });
    await expect(kubernetesManagers(place.options).pause("r1", signal)).rejects.toMatchObject({
      code: "MANAGER_NOT_PAUSED",
      hint: expect.stringContaining('apiGroups: ["argoproj.io"], resources: ["applications"], verbs: ["patch"]'),
    });
    expect(application(tokyo)).toBeUndefined();
  });

  test("that a dead run left waiting goes on when that is freed", async () => {
    const { place, tokyo } = await begin(1);
    label(tokyo, { "kustomize.toolkit.fluxcd.io/name": "apps" });
    await kubernetesManagers(place.options).pause("r1", signal);
    const holds = kubernetesHolds(place.options);
    const hold = await holds.look("tokyo", "old", signal);
    expect(hold).toMatchObject({ waiting: ["the Flux kustomization apps, which waits for r1"], changes: [], dark: [] });
    if (hold !== undefined) await holds.release(hold, "old", fence(2), signal);
    expect(annotationsOf(tokyo)[RECONCILE]).toBeUndefined();
    expect(await holds.look("tokyo", "old", signal)).toBeUndefined();
  });
});

describe("what is told at the Deployment", () => {
  const said = (more: Partial<Announcement> = {}): Announcement => ({
    component: "gateway",
    regions: ["tokyo"],
    reason: "BatchDone",
    note: "2 of 4 instances run gateway@2.0",
    isWarning: false,
    ...more,
  });

  test("stands there as events, in the order in which it became so", async () => {
    const { place, tokyo } = await begin(1);
    const announcer = kubernetesAnnouncer(place.options, "r1");
    announcer.announce(said({ reason: "UpgradeBegan", regions: ["tokyo", "frankfurt"] }));
    announcer.announce(said());
    announcer.announce(said({ reason: "Withdrawn", isWarning: true }));
    expect(await announcer.flush(5_000)).toBeUndefined();
    const events = tokyo.list("events", "tokyo");
    expect(events.map(({ reason, type }) => `${reason} ${type}`)).toEqual([
      "UpgradeBegan Normal",
      "BatchDone Normal",
      "Withdrawn Warning",
    ]);
    expect(events[0]).toMatchObject({ regarding: { name: "gateway", uid: deploymentIn(tokyo).metadata.uid } });
    expect(place.clusters["frankfurt"]?.list("events", "frankfurt")).toHaveLength(1);
  });

  test("is not tried again and again where the right is missing, and the rule to add is told once", async () => {
    const { place, tokyo } = await begin(1);
    tokyo.refuse({ method: "POST", kind: "events", status: 403, message: "no", times: 100 });
    const announcer = kubernetesAnnouncer(place.options, "r1");
    for (const reason of ["UpgradeBegan", "BatchDone", "Promoted"]) announcer.announce(said({ reason }));
    expect(await announcer.flush(5_000)).toContain(
      'apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create"]',
    );
    expect(tokyo.asked.filter((one) => one === "POST events")).toHaveLength(1);
  });

  test("keeps nobody waiting for a cluster that does not answer", async () => {
    const { place, tokyo } = await begin(1);
    await tokyo.close();
    const announcer = kubernetesAnnouncer(place.options, "r1");
    announcer.announce(said());
    expect(await announcer.flush(5_000)).toMatch(/did not answer/);
  });
});
