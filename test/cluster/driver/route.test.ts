import { Agent, fetch as pooledFetch } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import type { Service } from "../../../src/adapters/kubernetes/api/objects.ts";
import { kubernetesHolds } from "../../../src/adapters/kubernetes/beside/holds.ts";
import { kubernetesPreflight } from "../../../src/adapters/kubernetes/beside/preflight/preflight.ts";
import { routedContract, weighingOf, type RoutedHarness } from "../../contract/routed.ts";
import { shapeOf } from "../../contract/switched.ts";
import { findGateway } from "../gateway/build.ts";
import { gatewayOn, type Gateway, type Route } from "../gateway/gateway.ts";
import { users } from "../users.ts";
import { accountOf, grantsOf } from "./account.ts";
import { untilServing } from "./orders.ts";
import { placeOn, type Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

// Shares by the weights of an HTTPRoute, on the real cluster, served by a real gateway: who answers is counted.
const { signal } = new AbortController();
const SIZE = 3;
const SAMPLE = 3_000;
const binary = await findGateway();
if (binary === undefined)
  process.stderr.write(
    "skipped: shares by an HTTPRoute (test/cluster/driver/route.test.ts): no gateway was built; `node test/cluster/gateway/build.ts` builds one, once for a machine\n",
  );
const cluster = withGround();
let gateway: Gateway;

type Harness = RoutedHarness & { readonly place: Place; readonly route: Route };

async function harnessOn(replicas: number, readyDeadlineMs = 60_000): Promise<Harness> {
  const place = await placeOn(cluster.ground(), {
    replicas,
    readyDeadlineMs,
    traffic: (name) => ({ kind: "httpRoute", route: name, beside: `${name}-beside` }),
  });
  const beside = `${place.name}-beside`;
  const route = await gateway.expose(place.name, beside);
  const service = async (name: string) =>
    (await cluster.ground().api.call("GET", `/api/v1/namespaces/tokyo/services/${name}`)) as Service;
  return {
    ...place.driver,
    place,
    route,
    old: place.release("1.0"),
    fresh: place.release("2.0"),
    bad: place.release("3.0"),
    size: replicas,
    async entry() {
      const [found, ...services] = await Promise.all([route.read(), service(place.name), service(beside)]);
      return {
        weights: found.spec?.rules?.[0]?.backendRefs?.map(({ weight }) => weight) ?? [],
        selectors: services.map(({ spec }) => spec?.selector ?? {}),
        marks: [found, ...services].flatMap(({ metadata }) => Object.keys(metadata.annotations ?? {})),
      };
    },
    spec: async () => (await place.deployment("tokyo")).spec,
    reweigh: (weight) => route.patch([{ op: "replace", path: "/spec/rules/0/backendRefs/1/weight", value: weight }]),
    open: () => kubernetesDriver(place.options),
    async close() {
      await route.close();
      await place.close();
    },
  };
}

let seq = 1_000;
const fence = () => ({ epoch: 1, seq: (seq += 1) });
const weigh = (harness: Harness, oldPct: number, freshPct: number): Promise<void> =>
  harness.traffic.weigh("tokyo", weighingOf(harness, oldPct, freshPct), fence(), signal);
const shape = (harness: Pick<Harness, "workload" | "old" | "fresh">, before: number, after: number) =>
  harness.workload.shape("tokyo", shapeOf(harness, before, after), fence(), signal);

/** The same once all of its pods serve. */
async function begin(replicas: number): Promise<Harness> {
  const harness = await harnessOn(replicas);
  cluster.undo(harness.close);
  await untilServing(harness.place, replicas);
  await expect.poll(async () => (await fetch(harness.route.url)).status, { timeout: 15_000 }).toBe(200);
  return harness;
}

/** How many of `count` answers came from the new release, over kept connections. */
async function freshOf(url: string, count: number): Promise<number> {
  const dispatcher = new Agent({ connections: 8 });
  let left = count;
  let fresh = 0;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const response = await pooledFetch(url, { dispatcher });
      if (((await response.json()) as { readonly release: string }).release === "2.0") fresh += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  await dispatcher.close();
  return fresh;
}

/** Four standard deviations of a draw, which one of 16,000 exceeds. */
const boundOf = (share: number, count: number): number => 4 * Math.sqrt((share * (1 - share)) / count);

/** Until the share that is served is another one; how long it took since `from`. */
async function servedFrom(url: string, isServed: (fresh: number) => boolean, from: number): Promise<number> {
  let ms = 0;
  await expect
    .poll(
      async () => {
        ms = performance.now() - from;
        return isServed(await freshOf(url, 60));
      },
      { timeout: 10_000, interval: 20 },
    )
    .toBe(true);
  return Math.round(ms);
}

describe.skipIf(binary === undefined)("with a gateway", () => {
  beforeAll(async () => {
    if (binary !== undefined) gateway = await gatewayOn(cluster.ground(), binary);
  }, 180_000);
  afterAll(() => gateway?.close());

  test("the share that is served is the one that was ordered, at every step and back, and no request is lost", async () => {
    const harness = await begin(4);
    const { route } = harness;
    const load = await users(route.url, 5);
    await shape(harness, 4, 4);
    const report: string[] = [];
    const steps = [
      { oldPct: 100, freshPct: 0, share: 0 },
      { oldPct: 100, freshPct: 5, share: 0.05 },
      { oldPct: 100, freshPct: 100, share: 0.5 },
      { oldPct: 0, freshPct: 100, share: 1 },
      { oldPct: 100, freshPct: 0, share: 0 },
      { oldPct: 0, freshPct: 100, share: 1 },
    ];
    for (const { oldPct, freshPct, share } of steps) {
      const from = performance.now();
      await weigh(harness, oldPct, freshPct);
      const readMs = Math.round(performance.now() - from);
      const least = share === 0 ? 0 : 60 * share * 0.4;
      const servedMs = await servedFrom(
        route.url,
        (fresh) => (share === 0 ? fresh === 0 : share === 1 ? fresh === 60 : fresh >= least && fresh < 60),
        from,
      );
      const fresh = await freshOf(route.url, SAMPLE);
      report.push(`${share * 100}%: ${fresh} of ${SAMPLE}, read after ${readMs} ms, served after ${servedMs} ms`);
      // At nobody and at everybody the bound is none.
      expect(Math.abs(fresh / SAMPLE - share)).toBeLessThanOrEqual(boundOf(share, SAMPLE));
      expect(servedMs).toBeLessThan(10_000);
    }
    await shape(harness, 0, 4);
    expect(await freshOf(route.url, 200)).toBe(200);
    const { sent, lost } = await load.stop();
    process.stderr.write(`${report.join("\n")}\nlost ${lost.length} of ${sent}\n`);
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(1_000);
    expect(await harness.entry()).toMatchObject({ weights: [1, 0], marks: [] });
  }, 180_000);

  test("an undo from half of the users leaves the route as it was, and loses no request", async () => {
    const harness = await begin(3);
    const found = [await harness.entry(), await harness.spec()];
    const load = await users(harness.route.url, 5);
    await shape(harness, 3, 3);
    await weigh(harness, 100, 100);
    await servedFrom(harness.route.url, (fresh) => fresh > 10, performance.now());
    await weigh(harness, 100, 0);
    await shape(harness, 3, 0);
    const { sent, lost } = await load.stop();
    process.stderr.write(`undo: lost ${lost.length} of ${sent}\n`);
    expect(lost).toEqual([]);
    expect([await harness.entry(), await harness.spec()]).toEqual(found);
  }, 120_000);

  test("a gateway that does not take up what was ordered is told, and the order can be given again", async () => {
    const harness = await begin(1);
    await shape(harness, 1, 1);
    gateway.hang(true);
    try {
      await expect(weigh(harness, 100, 50)).rejects.toMatchObject({
        code: "BALANCER_UNREACHABLE",
        message: expect.stringMatching(
          /^gateway edge \(traefik.io\/gateway-controller\) has read generation \d+ of httproute/,
        ),
      });
    } finally {
      gateway.hang(false);
    }
    await weigh(harness, 100, 50);
    await shape(harness, 1, 0);
  }, 120_000);

  test("a route that the gateway refuses is a risk before, and nothing is begun", async () => {
    const harness = await begin(1);
    await harness.route.patch([{ op: "replace", path: "/spec/rules/0/backendRefs/1/name", value: "nobody" }]);
    await expect
      .poll(() => kubernetesPreflight(harness.place.options, {}).risks("tokyo", signal), { timeout: 15_000 })
      .toContainEqual(expect.stringMatching(/ResolvedRefs is False, BackendNotFound/));
    await expect(shape(harness, 1, 1)).rejects.toMatchObject({
      code: "KUBERNETES_REFUSED",
      message: expect.stringMatching(/^rule 1 of httproute .* sends users to nobody too/),
    });
    expect((await harness.entry()).marks).toEqual([]);
  }, 120_000);

  test("what a dead run left is shown and freed: users first, then the pods, and the route as it was", async () => {
    const harness = await begin(2);
    const found = [await harness.entry(), await harness.spec()];
    await shape(harness, 2, 2);
    await weigh(harness, 0, 100);
    const load = await users(harness.route.url, 5);
    const holds = kubernetesHolds(harness.place.options);
    const hold = await holds.look("tokyo", "old", signal);
    expect(hold?.changes).toContainEqual(expect.stringMatching(/^httproute .*weight: 0 → 1$/));
    if (hold === undefined) throw new Error("nothing was left");
    await holds.release(hold, "old", { epoch: 2, seq: 1 }, signal);
    expect([await harness.entry(), await harness.spec()]).toEqual(found);
    const { lost } = await load.stop();
    expect(lost).toEqual([]);
    expect(await holds.look("tokyo", "old", signal)).toBeUndefined();
  }, 120_000);

  test("the printed rights are enough to give shares, and without those to the route nothing is begun", async () => {
    const harness = await begin(1);
    const { options } = harness.place;
    const grants = grantsOf(options);
    const one = await accountOf(cluster.ground(), grants);
    cluster.undo(one.close);
    const blind = await accountOf(cluster.ground(), grants, (rules) =>
      rules.filter(({ resources }) => resources[0] !== "httproutes"),
    );
    cluster.undo(blind.close);
    const allowed = { ...harness, ...kubernetesDriver(one.as(options)) };
    await expect
      .poll(() => allowed.workload.observe("tokyo", signal).then(() => "seen", String), { timeout: 15_000 })
      .toBe("seen");
    await expect
      .poll(() => shape({ ...harness, ...kubernetesDriver(blind.as(options)) }, 1, 1).then(() => "begun", String), {
        timeout: 15_000,
      })
      .toMatch(/may not get httproutes/);
    await shape(allowed, 1, 1);
    await weigh(allowed, 0, 100);
    await shape(allowed, 0, 1);
    expect(await harness.entry()).toMatchObject({ weights: [1, 0], marks: [] });
  }, 120_000);

  routedContract("of a real cluster", () => harnessOn(SIZE, 15_000));
});
