import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Opened } from "../../src/engine/fact.ts";
import type { Run } from "../../src/engine/run.ts";
import { conduct } from "../../src/runtime/conduct.ts";
import { entryOf } from "../../src/runtime/replay.ts";
import { fakeRunStore, type FakeRunStore } from "../fakes/journal.ts";
import { fakeLease, type FakeLease } from "../fakes/lease.ts";
import { fakeMetadataStore } from "../fakes/metadata-store.ts";
import type { KubeCluster } from "../fakes/kube-cluster.ts";
import { imageOf, kubePlace, kubeSetPlace, releaseOf, type KubePlace } from "../fakes/kube-place.ts";
import type { KubeSets } from "../fakes/kube-sets.ts";
import { fakeRunner } from "../fakes/runner.ts";
import { fakeWatcher, type FakeWatcher } from "../fakes/watcher.ts";
import type { Home } from "../simulation/sim-world.ts";
import { graphOf } from "../unit/engine/graph.ts";

// The real engine over the real driver, in two pretended clusters; only what the guard says is played.
const REGIONS = ["tokyo", "frankfurt"];
const PODS = 4;
const places: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});

type Stage<C extends KubeCluster | KubeSets = KubeCluster> = {
  readonly place: KubePlace<C>;
  readonly watcher: FakeWatcher;
  readonly store: FakeRunStore;
  /** Facts that came true so far, such as `moved`. */
  facts(): readonly string[];
  /** Ids of effects that were answered. */
  done(): readonly string[];
  /** Conducts to the end; `act` is called again and again. */
  play(act: (stage: Played) => void): Promise<Run>;
  specs(): readonly unknown[];
};

type How = {
  readonly home?: Home;
  /** Users go over to a full second set by these shares. */
  readonly sharesPct?: readonly number[];
  /** Default 2.0. */
  readonly version?: string;
  /** Absent: nobody was here before. */
  readonly lease?: FakeLease;
};

const begin = async (how: How = {}): Promise<Stage> => beginOn(await kubePlace({ replicas: PODS }), how);

/** The same with a Service whose selector switches all users. */
const beginSwitched = async (): Promise<Stage> =>
  beginOn(await kubePlace({ replicas: PODS, traffic: { kind: "selector" } }), { sharesPct: [100] });

/** The same with a route that gives the second set its shares. */
const beginRouted = async (): Promise<Stage> =>
  beginOn(
    await kubePlace({
      replicas: PODS,
      traffic: { kind: "httpRoute", route: "gateway", beside: "gateway-beside" },
    }),
    { sharesPct: [5, 50, 100] },
  );

/** The same with pods that are replaced in their places. */
const beginInPlace = async (kind: "StatefulSet" | "DaemonSet"): Promise<Stage<KubeSets>> =>
  beginOn(await kubeSetPlace({ kind, places: PODS }), { home: "in-place" });

async function beginOn<C extends KubeCluster | KubeSets>(place: KubePlace<C>, how: How): Promise<Stage<C>> {
  const { home, sharesPct, version = "2.0", lease: leases = fakeLease() } = how;
  places.push(place);
  const { workload, traffic } = place.open();
  await expect
    .poll(
      async () =>
        (await workload.observe("frankfurt", new AbortController().signal)).instances.filter(
          (one) => one.ready && one.weightPct === 100,
        ).length,
    )
    .toBe(PODS);
  const opened: Opened = {
    kind: "opened",
    run: "r1",
    graph: graphOf({
      migrate: false,
      instances: PODS,
      target: releaseOf(version),
      ...(home && { home }),
      ...(sharesPct && { sharesPct }),
    }),
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  };
  const watcher = fakeWatcher({ now: () => systemClock.now() });
  const store = fakeRunStore();
  const entries = () => store.durable("r1").map((record) => entryOf(record).fact);
  const stage: Stage<C> = {
    place,
    watcher,
    store,
    facts: () => entries().map(({ kind }) => kind),
    done: () => entries().flatMap((fact) => (fact.kind === "effect-done" ? [fact.id] : [])),
    specs: () => REGIONS.map((region) => place.clusters[region]?.get("deployments", region, "gateway")?.spec),
    async play(act) {
      const lease = await leases.acquire(
        ["pods/gateway"],
        { run: "r1", host: "h", pid: 1 },
        new AbortController().signal,
      );
      const world = {
        workloads: { gateway: { workload, traffic } },
        metadata: { db: { store: fakeMetadataStore().open(), migrations: [] } },
        watcher,
        watch: { guard: opened.graph.guard, regions: [], orderPrefix: "test" },
        runner: fakeRunner(),
        programs: { cwd: "/", env: {} },
        notifiers: [],
        clock: systemClock,
      };
      // At once, before the next move: a slow machine must not let one slip by.
      const observer = { recorded: () => act(stage) };
      const custody = { store, journal: await store.create("r1"), lease };
      const { finished } = conduct(world, custody, { kind: "new", opened }, observer);
      let isOver = false;
      finished.then(
        () => (isOver = true),
        () => (isOver = true),
      );
      watcher.say({ state: "healthy" });
      for (let turn = 0; turn < 4_000 && !isOver; turn += 1) {
        watcher.look();
        await pause(10);
      }
      return finished;
    },
  };
  return stage;
}

type Played = Pick<Stage, "watcher" | "facts" | "done">;

const once = (act: (stage: Played) => boolean): ((stage: Played) => void) => {
  let isDone = false;
  return (stage) => {
    isDone ||= act(stage);
  };
};

const both =
  (one: (stage: Played) => void, other: (stage: Played) => void) =>
  (stage: Played): void => {
    one(stage);
    other(stage);
  };

/** The guard says it once an effect was answered that is meant. */
const said = (
  verdict: Parameters<FakeWatcher["say"]>[0],
  isMeant: (id: string) => boolean,
): ((stage: Played) => void) =>
  once(({ watcher, done }) => {
    if (!done().some(isMeant)) return false;
    watcher.say(verdict);
    return true;
  });
const releasesIn = async (
  stage: { readonly place: Pick<KubePlace, "open"> },
  region: string,
): Promise<readonly string[]> =>
  (await stage.place.open().workload.observe(region, new AbortController().signal)).instances.map(
    ({ release, ready, weightPct }) => `${release} ${ready} ${weightPct}`,
  );
const all = (version: string) => Array.from({ length: PODS }, () => `gateway@${version} true 100`);

// argo-rollouts#2737, flagger#371, kargo#907: several clusters, in one plan and in order; each region here is a cluster of its own.
test.each<{ name: string; how: How; dark: number }>([
  { name: "each pod proved in the dark", how: {}, dark: 8 },
  { name: "unproved, and so never in the dark", how: { home: "brought" }, dark: 0 },
])(
  "a healthy release is rolled through both regions, $name, and capacity was never less",
  async ({ how, dark }) => {
    const stage = await begin(how);
    for (const region of REGIONS) stage.place.clusters[region]?.leastReady(region);
    const run = await stage.play(() => undefined);
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) {
      expect(await releasesIn(stage, region)).toEqual(all("2.0"));
      expect(stage.place.clusters[region]?.leastReady(region)).toBeGreaterThanOrEqual(PODS);
      expect(stage.place.clusters[region]?.spread()).toBe(0);
      const deployment = stage.place.clusters[region]?.get("deployments", region, "gateway");
      expect(deployment?.spec.template.spec.containers[0]?.image).toBe(imageOf("2.0"));
      expect(Object.keys(deployment?.metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
    }
    const created = REGIONS.flatMap((region) => stage.place.clusters[region]?.asked ?? []);
    expect(created.filter((request) => request === "POST pods")).toHaveLength(dark);
  },
  60_000,
);

test.each<{ name: string; after: RegExp; how?: How }>([
  { name: "the first region's first batch", after: /wave-1\/batch-1\/admit#tokyo$/ },
  { name: "the first batch, unproved", after: /wave-1\/batch-1\/admit#tokyo$/, how: { home: "brought" } },
  { name: "the third batch, unproved", after: /wave-1\/batch-3\/admit#tokyo$/, how: { home: "brought" } },
  { name: "the first region's third batch, when most is new", after: /wave-1\/batch-3\/retire#tokyo$/ },
  { name: "the second region, when the first one was let go already", after: /wave-2\/batch-1\/admit#frankfurt$/ },
])(
  "a release that fails after $name is taken back to the exact Deployments of before",
  async ({ after, how }) => {
    const stage = await begin(how);
    const before = stage.specs();
    const fail = said({ state: "failing" }, (id) => after.test(id));
    const heal = once(({ watcher, facts }) => {
      if (!facts().includes("verdict") || !stage.done().some((id) => id.startsWith("check:"))) return false;
      watcher.say({ state: "healthy" });
      return true;
    });
    const run = await stage.play(both(fail, heal));
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "undone" });
    expect(stage.specs()).toEqual(before);
    for (const region of REGIONS) {
      expect(await releasesIn(stage, region)).toEqual(all("1.0"));
      expect(stage.place.clusters[region]?.list("replicasets", region).length).toBeLessThanOrEqual(2);
    }
  },
  60_000,
);

test.each<{ name: string; how: How; after: string }>([
  { name: "proved", how: {}, after: "batch-2/retire#tokyo" },
  { name: "unproved", how: { home: "brought" }, after: "batch-2/admit#tokyo" },
])(
  "a suspicion takes $name pods out of traffic, and when it clears they come back and the run goes on",
  async ({ how, after }) => {
    const stage = await begin(how);
    const suspect = said({ state: "suspect", regions: ["tokyo"] }, (id) => id.endsWith(after));
    const clear = said({ state: "healthy" }, (id) => id.startsWith("withdraw:"));
    const run = await stage.play(both(suspect, clear));
    expect(stage.done().some((id) => id.startsWith("readmit:"))).toBe(true);
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(await releasesIn(stage, "tokyo")).toEqual(all("2.0"));
  },
  60_000,
);

// Elsewhere pods that never came up held up whatever was to come after them.
test.each<{ name: string; how: How }>([
  { name: "in the dark", how: {} },
  { name: "in the Deployment", how: { home: "brought" } },
])(
  "a release that never gets ready $name is given up and taken back, and the next one is rolled as if it had never been there (argo-rollouts#4128, containers-roadmap#1488)",
  async ({ how }) => {
    const lease = fakeLease();
    const stage = await begin({ ...how, lease });
    const before = stage.specs();
    for (const region of REGIONS) stage.place.clusters[region]?.spoil(imageOf("2.0"));
    expect((await stage.play(() => undefined)).phase).toMatchObject({ kind: "ended", outcome: "undone" });
    expect(stage.specs()).toEqual(before);
    lease.die("r1");
    const next = await beginOn(stage.place, { ...how, lease, version: "3.0" });
    expect((await next.play(() => undefined)).phase).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) expect(await releasesIn(next, region)).toEqual(all("3.0"));
  },
  60_000,
);

// Elsewhere another version of the tool, or of the cluster, saw another template, and rolled everything anew.
test("a cluster that runs the release already is not written to, whatever fields its API server has filled in since (flagger#1799)", async () => {
  const place = await kubePlace({ replicas: PODS });
  for (const region of REGIONS) {
    const containers = [{ name: "gateway", image: imageOf("2.0"), terminationMessagePath: "/dev/termination-log" }];
    const template = { metadata: { labels: { app: "gateway" } }, spec: { containers, dnsPolicy: "ClusterFirst" } };
    place.clusters[region]?.deploy(region, imageOf("2.0"), PODS, { template });
  }
  const stage = await beginOn(place, {});
  await expect.poll(() => releasesIn(stage, "tokyo")).toEqual(all("2.0"));
  await expect.poll(() => releasesIn(stage, "frankfurt")).toEqual(all("2.0"));
  expect((await stage.play(() => undefined)).phase).toMatchObject({ kind: "ended", outcome: "unchanged" });
  const asked = REGIONS.flatMap((region) => place.clusters[region]?.asked ?? []);
  expect(asked.filter((request) => !/^(GET|WATCH) /.test(request))).toEqual([]);
}, 60_000);

// Elsewhere a tool that waited for a broken old release to be well let nobody mend it.
test("old pods that do not answer refuse the run before anything is held, and bar no fix by hand (flagger#639, flagger#1247, flagger#1591)", async () => {
  const lease = fakeLease();
  const stage = await begin({ lease });
  const before = stage.specs();
  const { tokyo } = stage.place.clusters;
  const sick = tokyo?.list("pods", "tokyo")[0]?.metadata.name ?? "nobody";
  tokyo?.kill("tokyo", sick);
  const run = await stage.play(() => undefined);
  expect(run.phase).toMatchObject({ kind: "ended", outcome: "refused" });
  expect(run.touched).toEqual([]);
  expect(stage.specs()).toEqual(before);
  // What `kubectl set image` does.
  for (const region of REGIONS) stage.place.clusters[region]?.deploy(region, imageOf("3.0"), PODS);
  for (const region of REGIONS) await expect.poll(() => releasesIn(stage, region)).toEqual(all("3.0"));
  lease.die("r1");
  const next = await beginOn(stage.place, { lease });
  expect((await next.play(() => undefined)).phase).toMatchObject({ kind: "ended", outcome: "promoted" });
}, 60_000);

test("an unproved release that never gets ready takes no traffic, and its Deployment is as it was", async () => {
  const stage = await begin({ home: "brought" });
  const before = stage.specs();
  for (const region of REGIONS) stage.place.clusters[region]?.spoil(imageOf("2.0"));
  const run = await stage.play(() => undefined);
  expect(run.phase).toMatchObject({ kind: "ended", outcome: "undone" });
  expect(run.cause?.text).toContain("INSTANCE_NOT_READY");
  expect(stage.specs()).toEqual(before);
  for (const region of REGIONS) expect(await releasesIn(stage, region)).toEqual(all("1.0"));
}, 60_000);

describe("a Service whose selector switches all users", () => {
  const servicesIn = (stage: Stage) =>
    REGIONS.map((region) => {
      const service = stage.place.clusters[region]?.get("services", region, "gateway");
      return [service?.spec?.selector, Object.keys(service?.metadata.annotations ?? {})];
    });
  const plain = REGIONS.map(() => [{ app: "gateway" }, []]);

  test("brings a full second set in each region, switches to it, and lets the old ones go; no pod stands for another one", async () => {
    const stage = await beginSwitched();
    for (const region of REGIONS) stage.place.clusters[region]?.leastReady(region);
    const run = await stage.play(() => undefined);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) {
      expect(await releasesIn(stage, region)).toEqual(all("2.0"));
      expect(stage.place.clusters[region]?.leastReady(region)).toBeGreaterThanOrEqual(PODS);
      const deployment = stage.place.clusters[region]?.get("deployments", region, "gateway");
      expect(Object.keys(deployment?.metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
      expect(stage.place.clusters[region]?.asked).not.toContain("POST pods");
      // To the old release before the first new pod, to the new one, and as it was.
      expect(stage.place.clusters[region]?.asked.filter((one) => one === "PATCH services/gateway")).toHaveLength(3);
    }
    expect(servicesIn(stage)).toEqual(plain);
  }, 60_000);

  test.each([
    { name: "the switch of the first region", after: /wave-1\/batch-1\/admit#tokyo$/ },
    { name: "the old ones of the first region have left", after: /wave-1\/batch-1\/retire#tokyo$/ },
    { name: "the switch of the second region", after: /wave-2\/batch-1\/admit#frankfurt$/ },
  ])(
    "a release that fails after $name is taken back, Deployments and selectors to the last field",
    async ({ after }) => {
      const stage = await beginSwitched();
      const before = stage.specs();
      const fail = said({ state: "failing" }, (id) => after.test(id));
      const heal = said({ state: "healthy" }, (id) => id.startsWith("check:"));
      const run = await stage.play(both(fail, heal));
      expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "undone" });
      expect(stage.done().some((id) => after.test(id))).toBe(true);
      expect(stage.specs()).toEqual(before);
      expect(servicesIn(stage)).toEqual(plain);
      for (const region of REGIONS) expect(await releasesIn(stage, region)).toEqual(all("1.0"));
    },
    60_000,
  );

  test("a suspicion sends users back in one patch, the suspected pods stay, and when it clears users return to them", async () => {
    const stage = await beginSwitched();
    const suspect = said({ state: "suspect", regions: ["tokyo"] }, (id) => id.endsWith("wave-1/batch-1/admit#tokyo"));
    const clear = said({ state: "healthy" }, (id) => id.startsWith("withdraw:"));
    const run = await stage.play(both(suspect, clear));
    expect(stage.done().some((id) => id.startsWith("readmit:"))).toBe(true);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(stage.place.clusters["tokyo"]?.asked.filter((one) => one === "PATCH services/gateway")).toHaveLength(5);
    expect(stage.place.clusters["tokyo"]?.asked.filter((one) => one.startsWith("DELETE pods"))).toEqual([]);
  }, 60_000);

  test("somebody who changes the selector in the soak halts the run, and is told label by label", async () => {
    const stage = await beginSwitched();
    const meddle = once(({ done }) => {
      const tokyo = stage.place.clusters["tokyo"];
      const service = tokyo?.get("services", "tokyo", "gateway");
      if (service === undefined || !done().some((id) => id.endsWith("wave-1/batch-1/admit#tokyo"))) return false;
      tokyo?.put("services", "tokyo", { ...service, spec: { selector: { app: "gateway", canary: "no" } } });
      return true;
    });
    const run = await stage.play(meddle);
    expect(run.phase).toMatchObject({ kind: "halted", code: "FOREIGN_CHANGE" });
    expect(JSON.stringify(run.phase)).toMatch(/spec\.selector\.canary: nothing → \\"no\\"/);
  }, 60_000);
});

describe("a route that gives shares", () => {
  const entriesIn = (stage: Stage) =>
    REGIONS.map((region) => {
      const api = stage.place.clusters[region];
      const route = api?.get("httproutes", region, "gateway");
      const services = ["gateway", "gateway-beside"].map((name) => api?.get("services", region, name));
      return {
        weights: route?.spec?.rules?.[0]?.backendRefs?.map(({ weight }) => weight),
        selectors: services.map((service) => service?.spec?.selector),
        marks: [route, ...services].flatMap((thing) => Object.keys(thing?.metadata.annotations ?? {})),
      };
    });
  const asFound = REGIONS.map(() => ({
    weights: [1, 0],
    selectors: [{ app: "gateway" }, { app: "gateway" }],
    marks: [],
  }));

  test("takes users over share by share in each region, and is as it was found in the end", async () => {
    const stage = await beginRouted();
    for (const region of REGIONS) stage.place.clusters[region]?.leastReady(region);
    const run = await stage.play(() => undefined);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) {
      expect(await releasesIn(stage, region)).toEqual(all("2.0"));
      expect(stage.place.clusters[region]?.leastReady(region)).toBeGreaterThanOrEqual(PODS);
      // The record, three shares, the weights as they were, and the record away.
      expect(stage.place.clusters[region]?.asked.filter((one) => one === "PATCH httproutes/gateway")).toHaveLength(6);
    }
    expect(entriesIn(stage)).toEqual(asFound);
  }, 60_000);

  test.each([
    { name: "a share", after: /wave-1\/batch-1\/shift-50#tokyo$/ },
    { name: "the last share", after: /wave-1\/batch-1\/admit#tokyo$/ },
    { name: "the old ones have left", after: /wave-1\/batch-1\/retire#tokyo$/ },
  ])(
    "is as it was found, and so are the Deployments, when a release fails after $name",
    async ({ after }) => {
      const stage = await beginRouted();
      const before = stage.specs();
      const fail = said({ state: "failing" }, (id) => after.test(id));
      const heal = said({ state: "healthy" }, (id) => id.startsWith("check:"));
      const run = await stage.play(both(fail, heal));
      expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "undone" });
      expect(stage.specs()).toEqual(before);
      expect(entriesIn(stage)).toEqual(asFound);
      for (const region of REGIONS) expect(await releasesIn(stage, region)).toEqual(all("1.0"));
    },
    60_000,
  );

  test("takes a suspected release out of traffic by one weight, and gives it its share back when the suspicion clears", async () => {
    const stage = await beginRouted();
    const suspect = said({ state: "suspect", regions: ["tokyo"] }, (id) =>
      id.endsWith("wave-1/batch-1/shift-50#tokyo"),
    );
    const clear = said({ state: "healthy" }, (id) => id.startsWith("withdraw:"));
    const run = await stage.play(both(suspect, clear));
    expect(stage.done().some((id) => id.startsWith("readmit:"))).toBe(true);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(stage.place.clusters["tokyo"]?.asked.filter((one) => one.startsWith("DELETE pods"))).toEqual([]);
    expect(entriesIn(stage)).toEqual(asFound);
  }, 60_000);

  test("halts the run when somebody changes a weight in the soak, and tells it", async () => {
    const stage = await beginRouted();
    const meddle = once(({ done }) => {
      const tokyo = stage.place.clusters["tokyo"];
      const route = tokyo?.get("httproutes", "tokyo", "gateway");
      if (route === undefined || !done().some((id) => id.endsWith("wave-1/batch-1/shift-50#tokyo"))) return false;
      const backendRefs = route.spec?.rules?.[0]?.backendRefs?.map((ref) => ({ ...ref, weight: 9 })) ?? [];
      tokyo?.put("httproutes", "tokyo", { ...route, spec: { rules: [{ backendRefs }] } });
      return true;
    });
    const run = await stage.play(meddle);
    expect(run.phase).toMatchObject({ kind: "halted", code: "FOREIGN_CHANGE" });
    expect(JSON.stringify(run.phase)).toMatch(/rule 1\.gateway-beside\.weight: 400 → 9/);
  }, 60_000);
});

describe.each([
  { kind: "StatefulSet" as const, resource: "statefulsets" as const },
  { kind: "DaemonSet" as const, resource: "daemonsets" as const },
])("a $kind", ({ kind, resource }) => {
  const setsIn = (stage: Stage<KubeSets>) =>
    REGIONS.map((region) => stage.place.clusters[region]?.get(resource, region, "gateway")?.spec);

  test("is replaced place by place through both regions, and promoted", async () => {
    const stage = await beginInPlace(kind);
    for (const region of REGIONS) stage.place.clusters[region]?.leastReady(region);
    const run = await stage.play(() => undefined);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) {
      expect(await releasesIn(stage, region)).toEqual(all("2.0"));
      expect(stage.place.clusters[region]?.leastReady(region)).toBeGreaterThanOrEqual(PODS - 1);
      const set = stage.place.clusters[region]?.get(resource, region, "gateway");
      expect(Object.keys(set?.metadata.annotations ?? {})).toEqual(["midflight.dev/fence"]);
    }
  }, 60_000);

  test.each([
    { name: "the first region's first batch", after: /wave-1\/batch-1\/admit#tokyo$/ },
    { name: "the third batch, when most is new", after: /wave-1\/batch-3\/admit#tokyo$/ },
    { name: "the second region's first batch", after: /wave-2\/batch-1\/admit#frankfurt$/ },
  ])(
    "that fails after $name is taken back to what it was",
    async ({ after }) => {
      const stage = await beginInPlace(kind);
      const before = setsIn(stage);
      const fail = said({ state: "failing" }, (id) => after.test(id));
      const heal = said({ state: "healthy" }, (id) => id.startsWith("check:"));
      const run = await stage.play(both(fail, heal));
      expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "undone" });
      expect(setsIn(stage)).toEqual(before);
      for (const region of REGIONS) expect(await releasesIn(stage, region)).toEqual(all("1.0"));
    },
    60_000,
  );

  test("whose new pods are suspected gives their places back, and takes them again when the suspicion clears", async () => {
    const stage = await beginInPlace(kind);
    const suspect = said({ state: "suspect", regions: ["tokyo"] }, (id) => id.endsWith("batch-1/admit#tokyo"));
    const clear = said({ state: "healthy" }, (id) => id.startsWith("withdraw:"));
    const run = await stage.play(both(suspect, clear));
    expect(stage.done().some((id) => id.startsWith("readmit:"))).toBe(true);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(await releasesIn(stage, "tokyo")).toEqual(all("2.0"));
  }, 60_000);
});
