import { beforeEach, describe, expect, test } from "vitest";
import type { Opened } from "../../../src/engine/fact.ts";
import type { Run } from "../../../src/engine/run.ts";
import { narrator } from "../../../src/events/narrator.ts";
import type { Fence } from "../../../src/ports/fence.ts";
import { conduct, type Conduct } from "../../../src/runtime/conduct.ts";
import { entryOf, replay } from "../../../src/runtime/replay.ts";
import type { World } from "../../../src/runtime/world.ts";
import { fakeClock, type FakeClock } from "../../fakes/clock.ts";
import { fakeRunStore, type FakeRunStore } from "../../fakes/journal.ts";
import { fakeLease, type FakeLease } from "../../fakes/lease.ts";
import { fakeMetadataStore } from "../../fakes/metadata-store.ts";
import { fakeNotifier, type FakeNotifier } from "../../fakes/notifier.ts";
import { fakeRunner, type FakeRunner } from "../../fakes/runner.ts";
import { fakeWatcher, type FakeWatcher } from "../../fakes/watcher.ts";
import { fakeWorld, type FakeWorld } from "../../fakes/workload.ts";
import { migrationNamed } from "../../simulation/sim-world.ts";
import { graphOf, INSTANCES, OLD } from "../engine/graph.ts";

const OPENED: Opened = {
  kind: "opened",
  run: "r1",
  graph: graphOf({ contract: true }),
  planFingerprint: "p",
  graphFingerprint: "g",
  version: "test",
  epoch: 1,
};
const FENCE: Fence = { epoch: 0, seq: 0 };
const never = (): AbortSignal => new AbortController().signal;

type Stage = {
  clock: FakeClock;
  places: FakeWorld;
  watcher: FakeWatcher;
  store: FakeRunStore;
  lease: FakeLease;
  pager: FakeNotifier;
  runner: FakeRunner;
  isBroken: () => boolean;
};
let stage: Stage;

beforeEach(async () => {
  const clock = fakeClock();
  const places = fakeWorld({ component: "gateway", clock });
  for (const region of ["tokyo", "frankfurt"]) {
    await places.workload.shape(
      region,
      { releases: [{ ...OLD, count: INSTANCES }], drain: { noticeMs: 0, deadlineMs: 0 } },
      FENCE,
      never(),
    );
    await places.traffic.weigh(region, [{ digest: OLD.digest, admitted: INSTANCES, weightPct: 100 }], FENCE, never());
  }
  stage = {
    clock,
    places,
    watcher: fakeWatcher({ now: () => clock.now(), isHealthy: () => !stage.isBroken() }),
    store: fakeRunStore(),
    lease: fakeLease(),
    pager: fakeNotifier(),
    runner: fakeRunner(),
    isBroken: () => false,
  };
});

async function start(
  more: Partial<World> = {},
): Promise<{ readonly conducted: Conduct; readonly ended: Promise<Run> }> {
  const { clock, places, watcher, store, lease, pager, runner } = stage;
  const world: World = {
    workloads: { gateway: { workload: places.workload, traffic: places.traffic } },
    metadata: {
      db: {
        store: fakeMetadataStore().open(),
        migrations: [migrationNamed("0001_expand", "expand"), migrationNamed("0002_contract", "contract")],
      },
    },
    watcher,
    watch: { guard: OPENED.graph.guard, regions: [], orderPrefix: "test" },
    runner,
    programs: { cwd: "/", env: {} },
    notifiers: [pager],
    clock,
    ...more,
  };
  const held = await lease.acquire(["sim/gateway", "sim/db"], { run: "r1", host: "h", pid: 1 }, never());
  const conducted = conduct(
    world,
    { store, journal: await store.create("r1"), lease: held },
    { kind: "new", opened: OPENED },
  );
  const ended = conducted.finished;
  ended.catch(() => {});
  return { conducted, ended };
}

/** Lets the run go on until it is over or `until` holds; time moves in small steps. */
async function play(ended: Promise<Run>, until: () => boolean = () => false): Promise<void> {
  let isOver = false;
  ended.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let turn = 0; turn < 3_000 && !isOver && !until(); turn += 1) {
    stage.watcher.look();
    await stage.clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const kinds = () => stage.store.durable("r1").map((record) => entryOf(record).fact.kind);

describe("a run on fakes", () => {
  test("is promoted, and its journal replays to the same end", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    const run = await ended;
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "promoted" });
    expect(replay(stage.store.durable("r1")).phase).toEqual(run.phase);
    expect(await stage.store.getFile("r1", "before.json")).toContain(OLD.digest);
    expect(stage.watcher.stopped()).toBe(true);
  });

  test("hears of users from components that it does not change, and leaves them alone", async () => {
    const seen = fakeWorld({ component: "edge", clock: stage.clock });
    seen.place("tokyo", { release: "edge@1.0", digest: "sha256:edge" }, 1);
    seen.cut("osaka");
    const witnesses = [{ component: "edge", regions: ["tokyo", "osaka"], workload: seen.workload }];
    const { ended } = await start({ witnesses });
    await play(ended, () => stage.watcher.watched().some(({ component }) => component === "edge"));
    const watched = stage.watcher.watched().filter(({ component }) => component === "edge");
    expect(watched.map(({ region, side }) => [region, side])).toEqual([["tokyo", "old"]]);
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(new Set(seen.calls.map(({ call }) => call))).toEqual(new Set(["observe"]));
  });

  test("a probe order that somebody traded with stands in the journal as a warning, and changes nothing", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    const fill = {
      region: "tokyo",
      cohort: "shard-3",
      clOrdId: "mf1",
      instrument: "BTC-USDT",
      size: "1",
      px: "2",
      sold: "1",
      state: "sold",
    } as const;
    await play(ended, () => kinds().length > 12);
    stage.watcher.beat({ fills: [fill] });
    stage.watcher.beat({ fills: [fill] });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(kinds().filter((kind) => kind === "probe-filled")).toHaveLength(1);
    const events = stage.store.durable("r1").flatMap((record, index, records) => {
      const { fact, effects } = entryOf(record);
      return fact.kind === "probe-filled"
        ? narrator(replay(records.slice(0, index)))({ seq: index, fact, effects }, replay(records.slice(0, index + 1)))
        : [];
    });
    expect(events.map(({ kind, message }) => [kind, message])).toEqual([
      ["probe-filled", "warning: probe order mf1 in tokyo was filled: 1 of BTC-USDT bought at 2, and sold again"],
    ]);
  });

  test("P10: a pager that is not there delays nothing, and is reported", async () => {
    stage.pager.lose(100);
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "promoted" });
    expect(kinds()).toContain("undelivered");
  });

  test("P3: a conductor that lost its lease sends nothing more", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, () => kinds().length > 12);
    stage.lease.overtake("r1");
    const records = kinds().length;
    await expect(ended).rejects.toMatchObject({ code: "LEASE_LOST" });
    await stage.clock.advance(5_000);
    expect(kinds().length).toBe(records);
  });

  test("P1: what could not be written down is not done", async () => {
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, () => kinds().length > 8);
    stage.store.fillDisk();
    await play(ended);
    await expect(ended).rejects.toMatchObject({ code: "JOURNAL_WRITE_FAILED" });
    expect(stage.watcher.stopped()).toBe(true);
  });

  test("an undo that a person leaves half done is paged and sends nothing more; its journal says where it stands", async () => {
    const { conducted, ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, () => kinds().length > 14);
    conducted.ask("leave", "SIGINT");
    stage.isBroken = () => true;
    conducted.ask("undo", "ops");
    const isUndoing = () => replay(stage.store.durable("r1")).phase.kind === "confirming";
    await play(ended, isUndoing);
    conducted.ask("leave", "SIGINT");
    await play(ended);
    await expect(ended).rejects.toMatchObject({ code: "UNDO_LEFT", hint: "go on with it: midflight resume r1" });
    expect(stage.pager.delivered.at(-1)?.text).toContain("leaves the undo half done");
    expect(isUndoing()).toBe(true);
    const records = kinds().length;
    await stage.clock.advance(5_000);
    expect(kinds().length).toBe(records);
  });

  test("past the point of no return the backup plan's programs run, fenced", async () => {
    const isContracting = () =>
      stage.store
        .durable("r1")
        .some((record) =>
          entryOf(record).effects.some((effect) => effect.kind === "migrate" && effect.names.includes("0002_contract")),
        );
    stage.isBroken = () => isContracting() && stage.runner.orders.length === 0;
    const { ended } = await start();
    stage.watcher.say({ state: "healthy" });
    await play(ended, isContracting);
    stage.watcher.say({ state: "failing", reason: "amend fails" });
    await play(ended, () => stage.runner.orders.length > 0);
    stage.watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "backed-up" });
    expect(stage.runner.orders[0]).toMatchObject({ argv: ["rebuild"], env: { MIDFLIGHT_RUN: "r1" } });
  });
});
