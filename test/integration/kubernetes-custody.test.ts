import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Opened } from "../../src/engine/fact.ts";
import type { Run } from "../../src/engine/run.ts";
import { conduct, type Start } from "../../src/runtime/conduct.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { Custody } from "../../src/runtime/world.ts";
import { kubeApi } from "../fakes/kube-api.ts";
import { kubePlace, releaseOf } from "../fakes/kube-place.ts";
import { kubeLease, kubeRunStore } from "../fakes/kube-state.ts";
import { fakeMetadataStore } from "../fakes/metadata-store.ts";
import { fakeRunner } from "../fakes/runner.ts";
import { fakeWatcher } from "../fakes/watcher.ts";
import { graphOf } from "../unit/engine/graph.ts";

// The real engine over the real driver, with lease and journal in a cluster; only what the guard says is played.
const PODS = 4;
const KEY = "pods/gateway";
const times = { renewEveryMs: 100, giveUpAfterMs: 800, lostAfterMs: 1_000 };
const { signal } = new AbortController();
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function begin() {
  const api = await kubeApi();
  cleanups.push(() => api.close());
  const place = await kubePlace({ replicas: PODS });
  cleanups.push(() => place.close());
  const { workload } = place.open();
  await expect
    .poll(
      async () =>
        (await workload.observe("frankfurt", signal)).instances.filter((one) => one.ready && one.weightPct === 100)
          .length,
    )
    .toBe(PODS);
  const opened: Opened = {
    kind: "opened",
    run: "r1",
    graph: graphOf({ migrate: false, instances: PODS, target: releaseOf("2.0") }),
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  };
  const db = fakeMetadataStore();
  /** Conducts to the end, on a machine of its own. `acted` is told every effect that was answered. */
  const play = async (custody: Custody, start: Start, acted: (id: string) => void): Promise<Run> => {
    const watcher = fakeWatcher({ now: () => systemClock.now() });
    const { finished } = conduct(
      {
        workloads: { gateway: place.open() },
        metadata: { db: { store: db.open(), migrations: [] } },
        watcher,
        watch: { guard: opened.graph.guard, regions: [], orderPrefix: "test" },
        runner: fakeRunner(),
        programs: { cwd: "/", env: {} },
        notifiers: [],
        clock: systemClock,
      },
      custody,
      start,
      { recorded: ({ fact }) => void (fact.kind === "effect-done" && acted(fact.id)), pulse: () => undefined },
    );
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
  };
  /** Nothing is shared with another one but the cluster. */
  const machine = async (name: string) => {
    const dir = await mkdtemp(join(tmpdir(), "midflight-machine-"));
    cleanups.push(() => rm(dir, { recursive: true, force: true }));
    return { store: kubeRunStore(api.url, dir), leases: kubeLease(api.url, { machine: name, times }) };
  };
  return { api, place, opened, play, machine };
}

test("a run whose conductor is cut off from its lease stops there, and ends on another machine as if nothing had been", async () => {
  const { api, place, opened, play, machine } = await begin();
  const here = await machine("A");
  const lease = await here.leases.acquire([KEY], { run: "r1", host: "a", pid: process.pid }, signal);
  const journal = await here.store.create("r1");
  let isCut = false;
  const first = play(
    { store: here.store, journal, lease },
    { kind: "new", opened: { ...opened, epoch: lease.epoch } },
    (id) => {
      if (isCut || !id.endsWith("wave-1/batch-2/admit#tokyo")) return;
      isCut = true;
      api.refuse({ method: "PATCH", kind: "leases", status: 503, message: "cut off", times: 1_000_000 });
    },
  );
  await expect(first).rejects.toMatchObject({ code: "LEASE_LOST" });
  expect(isCut).toBe(true);
  api.forgive();

  const there = await machine("B");
  const taken = await there.leases.acquire([KEY], { run: "r1", host: "b", pid: process.pid }, signal);
  expect(taken.epoch).toBeGreaterThan(lease.epoch);
  const again = await there.store.open("r1");
  const run = replay(again.records);
  expect(run.phase.kind).not.toBe("ended");
  const ended = await play(
    { store: there.store, journal: again, lease: taken },
    {
      kind: "revived",
      run,
      started: { kind: "conductor-started", epoch: taken.epoch, host: "b", pid: process.pid, version: "test" },
    },
    () => undefined,
  );
  expect(ended.phase).toMatchObject({ kind: "ended", outcome: "promoted" });
  for (const region of ["tokyo", "frankfurt"]) {
    const { instances } = await place.open().workload.observe(region, signal);
    expect(instances.map(({ release, ready, weightPct }) => `${release} ${ready} ${weightPct}`)).toEqual(
      Array.from({ length: PODS }, () => "gateway@2.0 true 100"),
    );
  }
  await taken.release();
  await lease.release();
  expect(await there.leases.holder(KEY)).toBeUndefined();
  // The one that was cut off writes nothing more, whatever it still holds in its hands.
  await expect(journal.append({ at: 0 })).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
  expect((await there.store.read("r1")).length).toBe(again.records.length);
}, 60_000);
