import { afterEach, expect, test } from "vitest";
import { kubernetesHolds } from "../../src/adapters/kubernetes/beside/holds.ts";
import { kubernetesPreflight } from "../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { rolling, SWITCHING } from "../../src/adapters/kubernetes/beside/rights.ts";
import type { Service } from "../../src/adapters/kubernetes/api/objects.ts";
import { shapeOf } from "../contract/switched.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import { kubePlace, releaseOf, type KubePlace } from "../fakes/kube-place.ts";
import { standing, type Standing } from "../fakes/kube-standing.ts";

// What stands around a switch by a Service's selector: who may be cut off by it, what is asked, and what a dead run leaves.
const { signal } = new AbortController();
const SIZE = 2;
const HASH = "pod-template-hash";
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

async function begin(): Promise<Standing> {
  const place = await kubePlace({ replicas: SIZE, traffic: { kind: "selector" } });
  places.push(place);
  return standing(place, SIZE);
}

let seq = 0;
const fence = (epoch = 1) => ({ epoch, seq: (seq += 1) });
const RELEASES = { old: releaseOf("1.0"), fresh: releaseOf("2.0") };
const shape = ({ workload }: Standing, before: number, after: number) =>
  workload.shape("tokyo", shapeOf(RELEASES, before, after), fence(), signal);
const toFresh = ({ traffic }: Standing) =>
  traffic.weigh(
    "tokyo",
    [
      { digest: RELEASES.old.digest, admitted: SIZE, weightPct: 0 },
      { digest: RELEASES.fresh.digest, admitted: SIZE, weightPct: 100 },
    ],
    fence(),
    signal,
  );
const serviceIn = (tokyo: KubeCluster): Service => {
  const found = tokyo.get("services", "tokyo", "gateway");
  if (found === undefined) throw new Error("the Service is gone");
  return found;
};
const select = (tokyo: KubeCluster, selector: Readonly<Record<string, string>> | undefined): void => {
  const service = serviceIn(tokyo);
  tokyo.put("services", "tokyo", { ...service, spec: selector === undefined ? {} : { selector } });
};
const seenOf = ({ metadata, spec }: Service) => [spec?.selector, Object.keys(metadata.annotations ?? {})];
const PLAIN = [{ app: "gateway" }, []];

test("a switch asks for what the table of rights says, and of Services for nothing but this one", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  await toFresh(stage);
  await shape(stage, 0, SIZE);
  const asked = new Set(stage.tokyo.asked.filter((one) => one.includes("services")));
  expect([...asked].toSorted()).toEqual(["GET services/gateway", "PATCH services/gateway"]);
  expect(SWITCHING).toEqual([{ resource: "services", verbs: ["get", "patch"], isNamed: true }]);
  const resources = new Set(stage.tokyo.asked.map((one) => one.split(" ")[1]?.split("/")[0]));
  const known = [...rolling("Deployment"), ...SWITCHING].map(({ resource }) => resource as string);
  expect([...resources].filter((one) => !known.includes(one ?? ""))).toEqual([]);
});

test("whoever may not write to the Service is told before anything begins, with the rule to add", async () => {
  const { place, tokyo } = await begin();
  tokyo.refuse({ method: "PATCH", kind: "services", status: 403, message: "no" });
  expect(await kubernetesPreflight(place.options, {}).missingRights("tokyo", signal)).toEqual([
    expect.stringMatching(/^may not patch services\/gateway .*resources: \["services"\], verbs: \["patch"\]/),
  ]);
});

test("a Service that sends users to somebody else's pods too is not switched, and nothing was begun", async () => {
  const stage = await begin();
  stage.tokyo.put("pods", "tokyo", {
    metadata: { name: "cousin", labels: { app: "gateway" } },
    spec: { containers: [{ name: "gateway", image: "x" }] },
  });
  await expect
    .poll(() => JSON.stringify(stage.tokyo.get("endpointslices", "tokyo", "gateway-1")?.endpoints))
    .toContain("cousin");
  await expect(shape(stage, SIZE, SIZE)).rejects.toMatchObject({
    code: "KUBERNETES_REFUSED",
    message: expect.stringMatching(/not of deployment gateway too: cousin; a switch would cut them off/),
  });
  expect(seenOf(serviceIn(stage.tokyo))).toEqual(PLAIN);
  expect(stage.tokyo.get("deployments", "tokyo", "gateway")?.spec.minReadySeconds).toBeUndefined();
});

test.each([
  { name: "selects nothing", selector: undefined, says: /selects no pods/ },
  { name: "names a template itself", selector: { app: "gateway", [HASH]: "abc" }, says: /names a template itself/ },
])("a Service that $name is a risk before, and refused when it is met", async ({ selector, says }) => {
  const stage = await begin();
  select(stage.tokyo, selector);
  const risks = await kubernetesPreflight(stage.place.options, {}).risks("tokyo", signal);
  expect(risks).toContainEqual(expect.stringMatching(says));
  await expect(shape(stage, SIZE, SIZE)).rejects.toMatchObject({
    code: "KUBERNETES_REFUSED",
    message: expect.stringMatching(says),
  });
});

test("whoever manages the Service and would put its selector back is a risk before, and named when it happened", async () => {
  const stage = await begin();
  const service = serviceIn(stage.tokyo);
  const labels = { "kustomize.toolkit.fluxcd.io/name": "venue" };
  stage.tokyo.put("services", "tokyo", { ...service, metadata: { ...service.metadata, labels } });
  const risks = await kubernetesPreflight(stage.place.options, {}).risks("tokyo", signal);
  expect(risks).toContainEqual(
    expect.stringMatching(
      /the Flux kustomization venue would put back the selector of its service gateway: flux suspend/,
    ),
  );
  await shape(stage, SIZE, SIZE);
  select(stage.tokyo, { app: "gateway" });
  await expect(toFresh(stage)).rejects.toMatchObject({
    code: "FOREIGN_CHANGE",
    message: expect.stringContaining("(it is managed by the Flux kustomization venue)"),
    hint: expect.stringContaining("flux suspend kustomization venue"),
  });
});

test("a record that somebody took away halts, and is not written anew over two releases", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  const service = serviceIn(stage.tokyo);
  stage.tokyo.put("services", "tokyo", { ...service, metadata: { ...service.metadata, annotations: {} } });
  await expect(toFresh(stage)).rejects.toMatchObject({
    code: "FOREIGN_CHANGE",
    message: expect.stringContaining("names no release any more"),
  });
});

test("a record that nobody can read stops everything", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  const service = serviceIn(stage.tokyo);
  const annotations = { "midflight.dev/pinned": "{" };
  stage.tokyo.put("services", "tokyo", { ...service, metadata: { ...service.metadata, annotations } });
  await expect(toFresh(stage)).rejects.toMatchObject({ code: "KUBERNETES_HOLD_UNREADABLE" });
});

test.each([
  { name: "after its record was written", method: "PATCH", kind: "services", times: 1 },
  { name: "after the Service was pinned", method: "PATCH", kind: "deployments", times: 3 },
] as const)(
  "a conductor that died $name leaves nothing that the next one cannot take back",
  async ({ method, kind, times }) => {
    const stage = await begin();
    const before = stage.tokyo.get("deployments", "tokyo", "gateway")?.spec;
    // The fence and the record are written; the order is not.
    if (kind === "services") stage.tokyo.refuse({ method, kind, status: 500, message: "gone", times });
    else
      stage.tokyo.before({ method, kind: "services" }, () =>
        Promise.resolve(stage.tokyo.refuse({ method, kind, status: 500, message: "gone", times: 1 })),
      );
    await expect(shape(stage, SIZE, SIZE)).rejects.toMatchObject({ code: "WORKLOAD_UNREACHABLE" });
    stage.tokyo.forgive();
    const next: Standing = { ...stage, ...stage.place.open() };
    await next.workload.shape("tokyo", shapeOf(RELEASES, SIZE, 0), fence(2), signal);
    expect(seenOf(serviceIn(stage.tokyo))).toEqual(PLAIN);
    expect(stage.tokyo.get("deployments", "tokyo", "gateway")?.spec).toEqual(before);
  },
);

test("a write that somebody else was quicker than is decided anew on what stands then", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  stage.tokyo.before({ method: "PATCH", kind: "services" }, () => {
    const service = serviceIn(stage.tokyo);
    stage.tokyo.put("services", "tokyo", { ...service, metadata: { ...service.metadata, labels: { seen: "yes" } } });
    return Promise.resolve();
  });
  await toFresh(stage);
  const { instances } = await stage.workload.observe("tokyo", signal);
  expect(instances.filter(({ weightPct }) => weightPct === 100).map(({ release }) => release)).toEqual(
    Array.from({ length: SIZE }, () => "gateway@2.0"),
  );
  expect(serviceIn(stage.tokyo).metadata.labels).toEqual({ seen: "yes" });
});

test.each(["old", "new"] as const)(
  "release-hold that keeps the %s release shows the selector, and puts it back last",
  async (keeping) => {
    const stage = await begin();
    await shape(stage, SIZE, SIZE);
    await toFresh(stage);
    const holds = kubernetesHolds(stage.place.options);
    const hold = await holds.look("tokyo", keeping, signal);
    expect(hold?.changes.at(-1)).toMatch(/^service gateway: selector\.pod-template-hash: "\w+" → nothing$/);
    if (hold === undefined) throw new Error("nothing was left");
    await holds.release(hold, keeping, fence(2), signal);
    expect(seenOf(serviceIn(stage.tokyo))).toEqual(PLAIN);
    await expect
      .poll(async () =>
        (await stage.workload.observe("tokyo", signal)).instances.map((one) => `${one.release} ${one.weightPct}`),
      )
      .toEqual(Array.from({ length: SIZE }, () => `gateway@${keeping === "old" ? "1.0" : "2.0"} 100`));
    expect(await holds.look("tokyo", keeping, signal)).toBeUndefined();
  },
);

test("release-hold frees a Service whose Deployment was let go already, and not one that was written since it was shown", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  const pinned = serviceIn(stage.tokyo);
  await shape(stage, SIZE, 0);
  const service = serviceIn(stage.tokyo);
  stage.tokyo.put("services", "tokyo", {
    ...service,
    metadata: { ...service.metadata, annotations: pinned.metadata.annotations ?? {} },
    ...(pinned.spec === undefined ? {} : { spec: pinned.spec }),
  });
  const holds = kubernetesHolds(stage.place.options);
  const hold = await holds.look("tokyo", "old", signal);
  if (hold === undefined) throw new Error("nothing was left");
  expect(hold.stands).toBeUndefined();
  await expect(holds.release({ ...hold, entryRecord: "another" }, "old", fence(2), signal)).rejects.toMatchObject({
    code: "FOREIGN_CHANGE",
  });
  await holds.release(hold, "old", fence(2), signal);
  expect(seenOf(serviceIn(stage.tokyo))).toEqual(PLAIN);
});
