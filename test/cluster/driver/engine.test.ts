import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { Opened } from "../../../src/engine/fact.ts";
import type { Run } from "../../../src/engine/run.ts";
import { conduct } from "../../../src/runtime/conduct.ts";
import { entryOf } from "../../../src/runtime/replay.ts";
import { fakeRunStore } from "../../fakes/journal.ts";
import { fakeLease } from "../../fakes/lease.ts";
import { fakeMetadataStore } from "../../fakes/metadata-store.ts";
import { fakeRunner } from "../../fakes/runner.ts";
import { fakeWatcher, type FakeWatcher } from "../../fakes/watcher.ts";
import type { Home } from "../../simulation/sim-world.ts";
import { graphOf } from "../../unit/engine/graph.ts";
import { findGround, placeOn, REGIONS, type Ground, type Place } from "./place.ts";

// The real engine over the real driver on a real cluster; only what the guard says is played.
const PODS = 4;
const { signal } = new AbortController();
let ground: Ground;
const places: Place[] = [];
beforeAll(async () => {
  ground = await findGround();
}, 180_000);
afterEach(async () => {
  for (const place of places.splice(0)) await place.close();
});
afterAll(() => ground?.api.close());

type Stage = {
  readonly place: Place;
  readonly watcher: FakeWatcher;
  facts(): readonly string[];
  /** Ids of effects that were answered. */
  done(): readonly string[];
  play(act: (stage: Stage) => void): Promise<Run>;
  specs(): Promise<readonly unknown[]>;
  pods(region: string): Promise<readonly string[]>;
};

async function begin(how: { readonly home?: Home } = {}): Promise<Stage> {
  const isInPlace = how.home === "in-place";
  const place = await placeOn(ground, { replicas: PODS, kind: isInPlace ? "StatefulSet" : "Deployment" });
  places.push(place);
  const { workload, traffic } = place.driver;
  const pods = async (region: string): Promise<readonly string[]> =>
    (await workload.observe(region, signal)).instances.map((one) => `${one.release} ${one.ready} ${one.weightPct}`);
  for (const region of REGIONS)
    await expect.poll(() => pods(region), { timeout: 60_000, interval: 200 }).toEqual(all("1.0"));
  const opened: Opened = {
    kind: "opened",
    run: "r1",
    graph: graphOf({ migrate: false, instances: PODS, target: place.release("2.0"), ...how }),
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  };
  const watcher = fakeWatcher({ now: () => systemClock.now() });
  const store = fakeRunStore();
  const entries = () => store.durable("r1").map((record) => entryOf(record).fact);
  const stage: Stage = {
    place,
    watcher,
    pods,
    facts: () => entries().map(({ kind }) => kind),
    done: () => entries().flatMap((fact) => (fact.kind === "effect-done" ? [fact.id] : [])),
    specs: () => Promise.all(REGIONS.map(async (region) => (await place.set(region)).spec)),
    async play(act) {
      const lease = await fakeLease().acquire(["pods/gateway"], { run: "r1", host: "h", pid: 1 }, signal);
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
      const { finished } = conduct(world, { store, journal: await store.create("r1"), lease }, { kind: "new", opened });
      let isOver = false;
      finished.then(
        () => (isOver = true),
        () => (isOver = true),
      );
      watcher.say({ state: "healthy" });
      while (!isOver) {
        act(stage);
        watcher.look();
        await pause(20);
      }
      return finished;
    },
  };
  return stage;
}

const once = (act: (stage: Stage) => boolean): ((stage: Stage) => void) => {
  let isDone = false;
  return (stage) => {
    isDone ||= act(stage);
  };
};
const all = (version: string) => Array.from({ length: PODS }, () => `gateway@${version} true 100`);

describe("the engine on a real cluster", () => {
  test("rolls a healthy release through both regions and promotes it", async () => {
    const stage = await begin();
    const run = await stage.play(() => undefined);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) expect(await stage.pods(region)).toEqual(all("2.0"));
  }, 180_000);

  test("rolls an unproved release too, whose pods come with their admission", async () => {
    const stage = await begin({ home: "brought" });
    const run = await stage.play(() => undefined);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    for (const region of REGIONS) expect(await stage.pods(region)).toEqual(all("2.0"));
  }, 180_000);

  test.each<{ name: string; how: { readonly home?: Home }; after: string }>([
    { name: "Deployments", how: {}, after: "wave-1/batch-3/retire#tokyo" },
    { name: "StatefulSets", how: { home: "in-place" }, after: "wave-1/batch-3/admit#tokyo" },
  ])(
    "takes a release that fails in the third batch back to the exact $name of before",
    async ({ how, after }) => {
      const stage = await begin(how);
      const before = await stage.specs();
      const fail = once(({ watcher, done }) => {
        if (!done().some((id) => id.endsWith(after))) return false;
        watcher.say({ state: "failing" });
        return true;
      });
      const heal = once(({ watcher, facts, done }) => {
        if (!facts().includes("verdict") || !done().some((id) => id.startsWith("check:"))) return false;
        watcher.say({ state: "healthy" });
        return true;
      });
      const run = await stage.play((now) => {
        fail(now);
        heal(now);
      });
      expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "undone" });
      expect(await stage.specs()).toEqual(before);
      for (const region of REGIONS) expect(await stage.pods(region)).toEqual(all("1.0"));
    },
    180_000,
  );

  test("takes suspected pods out of traffic, brings them back when the suspicion clears, and goes on", async () => {
    const stage = await begin();
    const suspect = once(({ watcher, done }) => {
      if (!done().some((id) => id.endsWith("batch-2/retire#tokyo"))) return false;
      watcher.say({ state: "suspect", regions: ["tokyo"] });
      return true;
    });
    const clear = once(({ watcher, done }) => {
      if (!done().some((id) => id.startsWith("withdraw:"))) return false;
      watcher.say({ state: "healthy" });
      return true;
    });
    const run = await stage.play((now) => {
      suspect(now);
      clear(now);
    });
    expect(stage.done().some((id) => id.startsWith("readmit:"))).toBe(true);
    expect(run.phase, JSON.stringify(run.phase)).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(await stage.pods("tokyo")).toEqual(all("2.0"));
  }, 180_000);
});
