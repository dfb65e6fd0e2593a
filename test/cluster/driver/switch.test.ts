import { Agent, fetch as pooledFetch } from "undici";
import { describe, expect, test } from "vitest";
import { kubernetesDriver } from "../../../src/adapters/kubernetes/driver.ts";
import type { Service } from "../../../src/adapters/kubernetes/api/objects.ts";
import { kubernetesHolds } from "../../../src/adapters/kubernetes/beside/holds.ts";
import { shapeOf, switchedContract, type SwitchedHarness } from "../../contract/switched.ts";
import { takeInRegion } from "../../fakes/kube-lease.ts";
import { users } from "../users.ts";
import { accountOf, grantsOf } from "./account.ts";
import { untilServing } from "./orders.ts";
import { placeOn, type Place } from "./place.ts";
import { withGround } from "./with-ground.ts";

// All users switched by the selector of a Service, on the real cluster: real endpoints, real proxies, real connections.
const { signal } = new AbortController();
const SIZE = 3;
const cluster = withGround();

async function harnessOn(
  replicas: number,
  readyDeadlineMs = 60_000,
): Promise<SwitchedHarness & { readonly place: Place }> {
  const place = await placeOn(cluster.ground(), { replicas, readyDeadlineMs, traffic: { kind: "selector" } });
  const path = `/api/v1/namespaces/tokyo/services/${place.name}`;
  const read = async () => (await cluster.ground().api.call("GET", path)) as Service;
  return {
    ...place.driver,
    place,
    old: place.release("1.0"),
    fresh: place.release("2.0"),
    bad: place.release("3.0"),
    size: replicas,
    plain: { app: place.name },
    async service() {
      const { metadata, spec } = await read();
      return { selector: spec?.selector ?? {}, marks: Object.keys(metadata.annotations ?? {}) };
    },
    spec: async () => (await place.deployment("tokyo")).spec,
    select: async (selector) =>
      void (await cluster
        .ground()
        .api.call(
          "PATCH",
          path,
          [{ op: "replace", path: "/spec/selector", value: selector }],
          "application/json-patch+json",
        )),
    open: () => kubernetesDriver(place.options),
    close: () => place.close(),
  };
}

switchedContract("of a real cluster", () => harnessOn(SIZE, 15_000));

let seq = 1_000;
const fence = () => ({ epoch: 1, seq: (seq += 1) });
const switchTo = ({ traffic, old, fresh, size }: SwitchedHarness, to: "old" | "fresh"): Promise<void> =>
  traffic.weigh(
    "tokyo",
    [
      { digest: old.digest, admitted: size, weightPct: to === "old" ? 100 : 0 },
      { digest: fresh.digest, admitted: to === "old" ? 0 : size, weightPct: 100 },
    ],
    fence(),
    signal,
  );

/** The same once all of its pods serve. */
async function begin(replicas: number): Promise<SwitchedHarness & { readonly place: Place }> {
  const harness = await harnessOn(replicas);
  cluster.undo(harness.close);
  await untilServing(harness.place, replicas);
  return harness;
}

/** Which release answers on a connection of its own. */
async function answers(url: string, count: number): Promise<readonly string[]> {
  const releases = new Set<string>();
  for (let turn = 0; turn < count; turn += 1) {
    const dispatcher = new Agent();
    const response = await pooledFetch(url, { dispatcher });
    releases.add(((await response.json()) as { readonly release: string }).release);
    await dispatcher.close();
  }
  return [...releases];
}

/** Until no new connection reaches anybody else any more; how long it took since `from`. */
async function reached(url: string, release: string, from: number): Promise<number> {
  let ms = 0;
  await expect
    .poll(
      async () => {
        ms = performance.now() - from;
        return answers(url, 12);
      },
      { timeout: 10_000, interval: 20 },
    )
    .toEqual([release]);
  return ms;
}

describe("under load", () => {
  test("users are switched, back, and over again, the old pods leave, and no request is lost", async () => {
    const harness = await begin(4);
    const { place, workload } = harness;
    const load = await users(place.service);
    await workload.shape("tokyo", shapeOf(harness, 4, 4), fence(), signal);
    expect(await answers(place.service, 40)).toEqual(["1.0"]);
    const times: number[] = [];
    for (const to of ["fresh", "old", "fresh"] as const) {
      const from = performance.now();
      await switchTo(harness, to);
      times.push(await reached(place.service, to === "fresh" ? "2.0" : "1.0", from));
    }
    await workload.shape("tokyo", shapeOf(harness, 0, 4), fence(), signal);
    expect(await answers(place.service, 40)).toEqual(["2.0"]);
    const { sent, lost } = await load.stop();
    expect(lost).toEqual([]);
    expect(sent).toBeGreaterThan(500);
    for (const ms of times) expect(ms).toBeLessThan(2_000);
  }, 180_000);
});

test("what a dead run left is shown and freed: users first, then the pods, and the selector last", async () => {
  const harness = await begin(2);
  const spec = await harness.spec();
  await harness.workload.shape("tokyo", shapeOf(harness, 2, 2), fence(), signal);
  await switchTo(harness, "fresh");
  const holds = kubernetesHolds(harness.place.options);
  const hold = await holds.look("tokyo", "old", signal);
  expect(hold?.changes.at(-1)).toMatch(/^service .*: selector\.pod-template-hash: "\w+" → nothing$/);
  if (hold === undefined) throw new Error("nothing was left");
  await holds.release(hold, "old", { epoch: 2, seq: 1 }, signal);
  expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
  expect(await harness.spec()).toEqual(spec);
  await reached(harness.place.service, "1.0", performance.now());
  expect(await holds.look("tokyo", "old", signal)).toBeUndefined();
}, 120_000);

test("the printed rights are enough to switch, and the Service's are among them", async () => {
  const harness = await begin(1);
  const { options } = harness.place;
  const grants = grantsOf(options);
  const one = await accountOf(cluster.ground(), grants);
  cluster.undo(one.close);
  const blind = await accountOf(cluster.ground(), grants, (rules) =>
    rules.filter(({ resources }) => resources[0] !== "services"),
  );
  cluster.undo(blind.close);
  await expect
    .poll(
      () =>
        takeInRegion(one.as(options), "tokyo", { key: harness.place.name, run: "r1" }).then(
          (lease) => lease.release().then(() => "taken"),
          String,
        ),
      { timeout: 15_000, interval: 100 },
    )
    .toBe("taken");
  const shape = (driver: SwitchedHarness["workload"], before: number, after: number) =>
    driver.shape("tokyo", shapeOf(harness, before, after), fence(), signal);
  await expect(shape(kubernetesDriver(blind.as(options)).workload, 1, 1)).rejects.toMatchObject({
    code: "KUBERNETES_FORBIDDEN",
    message: expect.stringMatching(/^may not get services/),
  });
  const allowed = { ...harness, ...kubernetesDriver(one.as(options)) };
  await shape(allowed.workload, 1, 1);
  await switchTo(allowed, "fresh");
  await shape(allowed.workload, 0, 1);
  expect(await harness.service()).toEqual({ selector: harness.plain, marks: [] });
}, 120_000);
