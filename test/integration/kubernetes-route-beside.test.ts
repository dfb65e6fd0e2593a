import { afterEach, expect, test } from "vitest";
import { kubernetesHolds } from "../../src/adapters/kubernetes/beside/holds.ts";
import { kubernetesPreflight } from "../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { rolling, ROUTING, SWITCHING } from "../../src/adapters/kubernetes/beside/rights.ts";
import type { HttpRoute } from "../../src/adapters/kubernetes/route/http-route.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { weighingOf } from "../contract/routed.ts";
import { shapeOf } from "../contract/switched.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import { kubePlace, releaseOf, settled, type KubePlace } from "../fakes/kube-place.ts";
import { standing, type Standing } from "../fakes/kube-standing.ts";

// What stands around shares by a route: what is asked, who says no, what a crash and a dead run leave.
const { signal } = new AbortController();
const SIZE = 2;
const TRAFFIC = { kind: "httpRoute", route: "gateway", beside: "gateway-beside" } as const;
const places: KubePlace[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

/** `hurry`: also the patience with a gateway runs fast. */
async function begin(hurry = 1): Promise<Standing> {
  const clock: Clock = { ...settled, monotonic: () => settled.monotonic() * hurry };
  const place = await kubePlace({ replicas: SIZE, traffic: TRAFFIC, clock });
  places.push(place);
  return standing(place, SIZE);
}

let seq = 0;
const fence = (epoch = 1) => ({ epoch, seq: (seq += 1) });
const RELEASES = { old: releaseOf("1.0"), fresh: releaseOf("2.0"), size: SIZE };
const shape = ({ workload }: Pick<Standing, "workload">, before: number, after: number) =>
  workload.shape("tokyo", shapeOf(RELEASES, before, after), fence(), signal);
const weigh = ({ traffic }: Pick<Standing, "traffic">, oldPct: number, freshPct: number) =>
  traffic.weigh("tokyo", weighingOf(RELEASES, oldPct, freshPct), fence(), signal);
const routeIn = (tokyo: KubeCluster): HttpRoute => {
  const found = tokyo.get("httproutes", "tokyo", "gateway");
  if (found === undefined) throw new Error("the route is gone");
  return found;
};
const entryIn = (tokyo: KubeCluster) => {
  const services = ["gateway", "gateway-beside"].map((name) => tokyo.get("services", "tokyo", name));
  return {
    weights: routeIn(tokyo).spec?.rules?.[0]?.backendRefs?.map(({ weight }) => weight),
    selectors: services.map((service) => service?.spec?.selector),
    marks: [routeIn(tokyo), ...services].flatMap((thing) => Object.keys(thing?.metadata.annotations ?? {})),
  };
};
const AS_FOUND = { weights: [1, 0], selectors: [{ app: "gateway" }, { app: "gateway" }], marks: [] };

test("shares ask for what the table of rights says, of this route and these two Services alone", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  await weigh(stage, 0, 100);
  await shape(stage, 0, SIZE);
  const asked = new Set(stage.tokyo.asked.filter((one) => /services|httproutes/.test(one)));
  expect([...asked].toSorted()).toEqual([
    "GET httproutes/gateway",
    "GET services/gateway",
    "GET services/gateway-beside",
    "PATCH httproutes/gateway",
    "PATCH services/gateway",
    "PATCH services/gateway-beside",
  ]);
  const resources = new Set(stage.tokyo.asked.map((one) => one.split(" ")[1]?.split("/")[0]));
  const known = [...rolling("Deployment"), ...SWITCHING, ...ROUTING].map(({ resource }) => resource as string);
  expect([...resources].filter((one) => !known.includes(one ?? ""))).toEqual([]);
});

test("whoever may not write to the route is told before anything begins, with the rule to add", async () => {
  const { place, tokyo } = await begin();
  tokyo.refuse({ method: "PATCH", kind: "httproutes", status: 403, message: "no" });
  expect(await kubernetesPreflight(place.options, {}).missingRights("tokyo", signal)).toEqual([
    expect.stringMatching(
      /^may not patch httproutes\/gateway .*apiGroups: \["gateway.networking.k8s.io"\], resources: \["httproutes"\], verbs: \["patch"\]/,
    ),
  ]);
});

test("weights and their record are one write, and so is a withdrawal", async () => {
  const stage = await begin();
  await shape(stage, SIZE, SIZE);
  for (const [oldPct, freshPct] of [
    [100, 50],
    [100, 0],
  ] as const) {
    const before = stage.tokyo.asked.length;
    await weigh(stage, oldPct, freshPct);
    const writes = stage.tokyo.asked.slice(before).filter((one) => one.startsWith("PATCH httproutes"));
    expect(writes).toHaveLength(1);
  }
});

test("a gateway that has not read what was ordered is waited for, and told with both generations when it stays silent", async () => {
  const stage = await begin(20);
  await shape(stage, SIZE, SIZE);
  stage.tokyo.holdGateway(true);
  await expect(weigh(stage, 100, 50)).rejects.toMatchObject({
    code: "BALANCER_UNREACHABLE",
    message: expect.stringMatching(
      /^gateway edge \(example.com\/gateway\) has read generation 1 of httproute gateway, which is at 2/,
    ),
  });
  stage.tokyo.holdGateway(false);
  await weigh(stage, 100, 50);
  expect(entryIn(stage.tokyo).weights).toEqual([200, 100]);
});

test.each([
  {
    name: "gives users to the second Service already",
    spoil: (route: HttpRoute) => ({
      ...route,
      spec: { rules: [{ backendRefs: [{ name: "gateway" }, { name: "gateway-beside" }] }] },
    }),
    says: /gives gateway-beside the weight 1 while no upgrade runs/,
  },
  {
    name: "sends users elsewhere too",
    spoil: (route: HttpRoute) => ({
      ...route,
      spec: { rules: [{ backendRefs: [{ name: "gateway" }, { name: "x" }] }] },
    }),
    says: /sends users to x too/,
  },
])(
  "a route that $name is a risk before, and refused when it is met, and nothing was begun",
  async ({ spoil, says }) => {
    const stage = await begin();
    stage.tokyo.put("httproutes", "tokyo", spoil(routeIn(stage.tokyo)));
    const risks = await kubernetesPreflight(stage.place.options, {}).risks("tokyo", signal);
    expect(risks).toContainEqual(expect.stringMatching(says));
    await expect(shape(stage, SIZE, SIZE)).rejects.toMatchObject({
      code: "KUBERNETES_REFUSED",
      message: expect.stringMatching(says),
    });
    expect(entryIn(stage.tokyo).marks).toEqual([]);
    expect(stage.tokyo.get("deployments", "tokyo", "gateway")?.spec.minReadySeconds).toBeUndefined();
  },
);

test("a second Service that selects other pods is a risk before, and refused", async () => {
  const stage = await begin();
  const service = stage.tokyo.get("services", "tokyo", "gateway-beside");
  if (service === undefined) throw new Error("there is no second Service");
  stage.tokyo.put("services", "tokyo", { ...service, spec: { selector: { app: "other" } } });
  const says = /service gateway-beside does not select the same pods as gateway/;
  const risks = await kubernetesPreflight(stage.place.options, {}).risks("tokyo", signal);
  expect(risks).toContainEqual(expect.stringMatching(says));
  await expect(shape(stage, SIZE, SIZE)).rejects.toMatchObject({ message: expect.stringMatching(says) });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
  "a conductor that dies at its write %i while users are handed over leaves what another one brings to either end",
  async (write) => {
    for (const isBack of [false, true]) {
      const stage = await begin();
      await shape(stage, SIZE, SIZE);
      await weigh(stage, 0, 100);
      const end = new AbortController();
      let left = write;
      for (const kind of ["services", "httproutes", "deployments"] as const)
        for (let turn = 0; turn < 12; turn += 1)
          stage.tokyo.before({ method: "PATCH", kind }, () => {
            left -= 1;
            if (left === 0) end.abort(new Error("it died"));
            return Promise.resolve();
          });
      const ending = stage.workload.shape("tokyo", shapeOf(RELEASES, 0, SIZE), fence(), end.signal);
      await Promise.allSettled([ending]);
      const next = stage.place.open();
      if (isBack) {
        await shape(next, SIZE, SIZE);
        await weigh(next, 100, 0);
        await shape(next, SIZE, 0);
      } else await shape(next, 0, SIZE);
      expect(entryIn(stage.tokyo)).toEqual(AS_FOUND);
      const { instances } = await next.workload.observe("tokyo", signal);
      expect(instances.map(({ release, ready, weightPct }) => [release, ready, weightPct])).toEqual(
        Array.from({ length: SIZE }, () => [isBack ? "gateway@1.0" : "gateway@2.0", true, 100]),
      );
    }
  },
);

test("what a dead run left is shown weight by weight, and freed to either release", async () => {
  for (const keeping of ["old", "new"] as const) {
    const stage = await begin();
    await shape(stage, SIZE, SIZE);
    await weigh(stage, 100, 50);
    const holds = kubernetesHolds(stage.place.options);
    const hold = await holds.look("tokyo", keeping, signal);
    expect(hold?.changes).toEqual(
      expect.arrayContaining([
        "httproute gateway: rule 1.gateway.weight: 200 → 1",
        "httproute gateway: rule 1.gateway-beside.weight: 100 → 0",
        expect.stringMatching(/^service gateway: selector.pod-template-hash: "\w+" → nothing$/),
        expect.stringMatching(/^service gateway-beside: selector.pod-template-hash: "\w+" → nothing$/),
      ]),
    );
    if (hold === undefined) throw new Error("nothing was left");
    await holds.release(hold, keeping, fence(2), signal);
    expect(entryIn(stage.tokyo)).toEqual(AS_FOUND);
    expect(await holds.look("tokyo", keeping, signal)).toBeUndefined();
  }
});
