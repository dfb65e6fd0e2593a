import type { Opened } from "../../src/engine/fact.ts";
import type { Run } from "../../src/engine/run.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Fence } from "../../src/ports/fence.ts";
import { conduct, type Conduct } from "../../src/runtime/conduct.ts";
import { entryOf } from "../../src/runtime/replay.ts";
import type { World } from "../../src/runtime/world.ts";
import { migrationNamed } from "../simulation/sim-world.ts";
import { graphOf, INSTANCES, OLD } from "../unit/engine/graph.ts";
import { fakeClock, type FakeClock } from "./clock.ts";
import { fakeRunStore, type FakeRunStore } from "./journal.ts";
import { fakeLease, type FakeLease } from "./lease.ts";
import { fakeMetadataStore } from "./metadata-store.ts";
import { fakeNotifier, type FakeNotifier } from "./notifier.ts";
import { fakeRunner, type FakeRunner } from "./runner.ts";
import { fakeWatcher, type FakeWatcher } from "./watcher.ts";
import { fakeWorld, type FakeWorld } from "./workload.ts";

/** The real conductor and the real engine, and nothing else that is real: a world of fakes whose time moves when it is told to. */
export type Conducted = {
  clock: FakeClock;
  places: FakeWorld;
  watcher: FakeWatcher;
  store: FakeRunStore;
  lease: FakeLease;
  pager: FakeNotifier;
  runner: FakeRunner;
  /** Whether the guard has no evidence of health now. */
  isBroken: () => boolean;
  start(more?: Partial<World>): Promise<{ readonly conducted: Conduct; readonly ended: Promise<Run> }>;
  /** Lets the run go on until it is over or `until` holds; time moves in small steps. */
  play(ended: Promise<Run>, until?: () => boolean): Promise<void>;
  /** Kinds of the facts that are on disk. */
  kinds(): readonly string[];
};

const FENCE: Fence = { epoch: 0, seq: 0 };
const never = (): AbortSignal => new AbortController().signal;

/** Two regions with the old release in traffic. */
export async function conductedOnFakes(graph: Graph = graphOf({ contract: true })): Promise<Conducted> {
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
  const stage: Conducted = {
    clock,
    places,
    watcher: fakeWatcher({ now: () => clock.now(), isHealthy: () => !stage.isBroken() }),
    store: fakeRunStore(),
    lease: fakeLease(),
    pager: fakeNotifier(),
    runner: fakeRunner(),
    isBroken: () => false,
    start: (more = {}) => start(stage, graph, more),
    async play(ended, until = () => false) {
      let isOver = false;
      ended.then(
        () => (isOver = true),
        () => (isOver = true),
      );
      for (let turn = 0; turn < 3_000 && !isOver && !until(); turn += 1) {
        stage.watcher.look();
        await clock.advance(50);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    kinds: () => stage.store.durable("r1").map((record) => entryOf(record).fact.kind),
  };
  return stage;
}

async function start(
  { clock, places, watcher, store, lease, pager, runner }: Conducted,
  graph: Graph,
  more: Partial<World>,
): Promise<{ readonly conducted: Conduct; readonly ended: Promise<Run> }> {
  const world: World = {
    workloads: { gateway: { workload: places.workload, traffic: places.traffic } },
    metadata: {
      db: {
        store: fakeMetadataStore().open(),
        migrations: [migrationNamed("0001_expand", "expand"), migrationNamed("0002_contract", "contract")],
      },
    },
    watcher,
    watch: { guard: graph.guard, regions: [], orderPrefix: "test" },
    runner,
    programs: { cwd: "/", env: {} },
    notifiers: [pager],
    clock,
    ...more,
  };
  const opened: Opened = {
    kind: "opened",
    run: "r1",
    graph,
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch: 1,
  };
  const held = await lease.acquire(["sim/gateway", "sim/db"], { run: "r1", host: "h", pid: 1 }, never());
  const conducted = conduct(world, { store, journal: await store.create("r1"), lease: held }, { kind: "new", opened });
  const ended = conducted.finished;
  ended.catch(() => {});
  return { conducted, ended };
}
