import { beforeEach, describe, expect, test } from "vitest";
import { UpgradeError } from "../../../src/errors/upgrade-error.ts";
import type { Run } from "../../../src/engine/run.ts";
import { narrator } from "../../../src/events/narrator.ts";
import type { Fence } from "../../../src/ports/fence.ts";
import type { HeldLease } from "../../../src/ports/lease.ts";
import { conduct, type Conduct, type Start } from "../../../src/runtime/conduct.ts";
import { heldWorld } from "../../../src/runtime/held-world.ts";
import { entryOf, replay, replaySteps } from "../../../src/runtime/replay.ts";
import type { World } from "../../../src/runtime/world.ts";
import { fakeClock, type FakeClock } from "../../fakes/clock.ts";
import { fakeRunStore, type FakeRunStore } from "../../fakes/journal.ts";
import { fakeMetadataStore } from "../../fakes/metadata-store.ts";
import { fakeNotifier, type FakeNotifier } from "../../fakes/notifier.ts";
import { fakeRunner } from "../../fakes/runner.ts";
import { fakeWatcher, type FakeWatcher } from "../../fakes/watcher.ts";
import { fakeWorld, type FakeWorld } from "../../fakes/workload.ts";
import { migrationNamed } from "../../simulation/sim-world.ts";
import { graphOf, INSTANCES, NEW, OLD } from "../engine/graph.ts";

const FENCE: Fence = { epoch: 0, seq: 0 };
const TEN_MINUTES_MS = 600_000;
const never = (): AbortSignal => new AbortController().signal;
const graph = graphOf();

let clock: FakeClock;
let places: FakeWorld;
let watcher: FakeWatcher;
let store: FakeRunStore;
let pager: FakeNotifier;
let db: ReturnType<typeof fakeMetadataStore>;

beforeEach(async () => {
  clock = fakeClock();
  places = fakeWorld({ component: "gateway", clock });
  for (const region of ["tokyo", "frankfurt"]) {
    const releases = [{ ...OLD, count: INSTANCES }];
    await places.workload.shape(region, { releases, drain: { noticeMs: 0, deadlineMs: 0 } }, FENCE, never());
    await places.traffic.weigh(region, [{ digest: OLD.digest, admitted: INSTANCES, weightPct: 100 }], FENCE, never());
  }
  store = fakeRunStore();
  pager = fakeNotifier();
  db = fakeMetadataStore();
});

/** Ids of effects, by how they end → what is done as soon as they are answered, before anything else is. */
type Acts = Readonly<Record<string, () => void>>;
type Held = Pick<HeldLease, "unheld" | "enter">;

/** A conductor of the run, the first one or one that comes later; `held`: what it could not take. */
async function begin(
  epoch = 1,
  held: Held = {},
  act: Acts = {},
): Promise<{ readonly conducted: Conduct; readonly ended: Promise<Run> }> {
  watcher = fakeWatcher({ now: () => clock.now() });
  const lease: HeldLease = { epoch, lost: never(), release: () => Promise.resolve(), ...held };
  const world: World = {
    workloads: { gateway: { workload: places.workload, traffic: places.traffic } },
    metadata: { db: { store: db.open(), migrations: [migrationNamed("0001_expand", "expand")] } },
    watcher,
    watch: { guard: graph.guard, regions: [], orderPrefix: "test" },
    runner: fakeRunner(),
    programs: { cwd: "/", env: {} },
    notifiers: [pager],
    clock,
  };
  const journal = epoch === 1 ? await store.create("r1") : await store.open("r1");
  const opened = {
    kind: "opened",
    run: "r1",
    graph,
    planFingerprint: "p",
    graphFingerprint: "g",
    version: "test",
    epoch,
  } as const;
  const unheld = held.unheld?.map(({ key, region }) => `${key} in ${region}`);
  const started = {
    kind: "conductor-started",
    epoch,
    host: "h",
    pid: epoch,
    version: "test",
    ...(unheld === undefined ? {} : { unheld }),
  } as const;
  const start: Start =
    epoch === 1 ? { kind: "new", opened } : { kind: "revived", run: replay(journal.records), started };
  const conducted = conduct(
    heldWorld(world, lease, (component) => `sim/${component}`),
    { store, journal, lease },
    start,
    {
      recorded({ fact }) {
        if (fact.kind !== "effect-done") return;
        for (const [end, doIt] of Object.entries(act)) if (fact.id.endsWith(end)) doIt();
      },
    },
  );
  const ended = conducted.finished;
  ended.catch(() => {});
  return { conducted, ended };
}

/** Time moves in small steps until the run is over, or `until` holds. */
async function play(ended: Promise<Run>, until: () => boolean = () => false): Promise<void> {
  let isOver = false;
  ended.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let turn = 0; turn < 30_000 && !isOver && !until(); turn += 1) {
    watcher.look();
    await clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const now = (): Run => replay(store.durable("r1"));
const isDone = (id: string) => () =>
  store.durable("r1").some((record) => {
    const { fact } = entryOf(record);
    return fact.kind === "effect-done" && fact.id.endsWith(id);
  });
const releasesIn = (region: string) =>
  places.state(region).instances.map(({ release, ready, weightPct }) => `${release} ${ready} ${weightPct}`);
const old = Array.from({ length: INSTANCES }, () => `${OLD.release} true 100`);
const isOld = (region: string): boolean => releasesIn(region).join() === old.join();
const told = (): readonly string[] => {
  const records = store.durable("r1");
  const tell = narrator();
  return [...replaySteps(records)].flatMap((run, index) => {
    const record = records[index];
    return record === undefined ? [] : tell(entryOf(record), run).map(({ message }) => message);
  });
};
const writesIn = (region: string) =>
  places.calls.filter((one) => one.region === region && one.call !== "observe").length;

const ADMITTED = "wave-2/batch-1/admit#frankfurt";

/** Both regions have new instances in traffic when `act` is done. */
async function rolled(act: (conducted: Conduct) => void, more: Acts = {}) {
  const begun: { conducted?: Conduct } = {};
  const acts: Acts = {
    ...more,
    [ADMITTED]: () => {
      if (begun.conducted !== undefined) act(begun.conducted);
    },
  };
  const { conducted, ended } = await begin(1, {}, acts);
  begun.conducted = conducted;
  watcher.say({ state: "healthy" });
  await play(ended, isDone(ADMITTED));
  expect(isDone(ADMITTED)()).toBe(true);
  return { conducted, ended };
}

const fail = (): void => watcher.say({ state: "failing", reason: "amend fails" });
const cutAndFail = (): void => {
  places.cut("frankfurt");
  fail();
};

describe("an undo of two regions, one of which cannot be reached for ten minutes", () => {
  test("takes the other one back meanwhile, leaves this one as it stands, says so, and takes it back when it answers", async () => {
    const { ended } = await rolled(cutAndFail);
    const since = clock.now();
    const before = releasesIn("frankfurt");
    await play(ended, () => now().away?.["gateway/frankfurt"] !== undefined && isOld("tokyo"));
    expect(releasesIn("tokyo")).toEqual(old);
    expect(clock.now() - since).toBeLessThan(30_000);
    const writes = writesIn("frankfurt");
    await play(ended, () => clock.now() - since >= TEN_MINUTES_MS);
    expect(now().phase).toMatchObject({ kind: "undoing", stage: "await" });
    expect([releasesIn("frankfurt"), writesIn("frankfurt")]).toEqual([before, writes]);
    expect(
      pager.delivered.filter(
        ({ kind, text }) => kind === "held" && text.includes("gateway/frankfurt cannot be reached"),
      ),
    ).toHaveLength(1);
    places.cut("frankfurt", false);
    watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
    expect([releasesIn("tokyo"), releasesIn("frankfurt")]).toEqual([old, old]);
    expect(told()).toContain("gateway/frankfurt answers again, and is taken back");
    // It was looked at, and nobody was called twice.
    expect(pager.delivered.filter(({ kind }) => kind === "stranded")).toEqual([]);
  });

  test("counts nothing as undone before that, and waits with what is taken back after the instances", async () => {
    const { ended } = await rolled(cutAndFail);
    await play(ended, () => now().phase.kind === "undoing" && now().away?.["gateway/frankfurt"] !== undefined);
    await play(ended, () => isOld("tokyo"));
    const { phase } = now();
    expect(phase).toMatchObject({ kind: "undoing", stage: "await" });
    expect(now().undone).toEqual([]);
    places.cut("frankfurt", false);
    watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).undone.some((id) => id.endsWith("wave-2/batch-1/admit"))).toBe(true);
  });

  test("ends stranded, with the region and the moves, when it does not answer within an hour, and can be taken back later", async () => {
    const { ended } = await rolled(cutAndFail);
    await play(ended, () => now().phase.kind === "undoing" && now().away !== undefined && isOld("tokyo"));
    for (let minute = 0; minute < 62; minute += 1) {
      await clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const run = await ended;
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "stranded" });
    expect(run.phase.kind === "ended" && run.phase.text).toContain("gateway/frankfurt");
    expect(run.stranded.some((id) => id.includes("wave-2/batch-1/admit"))).toBe(true);
    expect(pager.delivered.some(({ kind }) => kind === "stranded")).toBe(true);
    expect(releasesIn("tokyo")).toEqual(old);

    places.cut("frankfurt", false);
    const again = await begin(2);
    again.conducted.ask("undo", "ops");
    watcher.say({ state: "healthy" });
    await play(again.ended);
    expect((await again.ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
    expect((await again.ended).stranded).toEqual([]);
    expect(releasesIn("frankfurt")).toEqual(old);
  });

  test("goes on in the hands of a later conductor where it was", async () => {
    const first = await rolled(cutAndFail);
    await play(first.ended, () => now().phase.kind === "undoing" && now().away?.["gateway/frankfurt"] !== undefined);
    store.kill();
    await play(first.ended);
    await expect(first.ended).rejects.toThrow("killed");
    const second = await begin(2);
    await play(second.ended, () => isOld("tokyo"));
    expect(releasesIn("tokyo")).toEqual(old);
    places.cut("frankfurt", false);
    watcher.say({ state: "healthy" });
    await play(second.ended);
    expect((await second.ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
    expect(releasesIn("frankfurt")).toEqual(old);
  });
});

describe("a conductor that could not take the lease of a region", () => {
  const KEY = { key: "sim/gateway", region: "frankfurt", why: "the API server of frankfurt did not answer" };

  /** Left by a conductor that is gone, on its way forward. */
  async function orphaned(): Promise<void> {
    const { ended } = await rolled((conducted) => conducted.ask("halt", "SIGINT"));
    await play(ended);
    expect((await ended).phase.kind).toBe("halted");
  }

  test("undoes the other one, takes the lease before its first write there, and writes down without which it began", async () => {
    await orphaned();
    let isThere = false;
    const entered: number[] = [];
    const enter = (_key: string, region: string): Promise<void> => {
      if (region !== "frankfurt") return Promise.resolve();
      entered.push(writesIn("frankfurt"));
      return isThere
        ? Promise.resolve()
        : Promise.reject(new UpgradeError("STATE_UNREACHABLE", "no answer", { hint: "look" }));
    };
    const { conducted, ended } = await begin(2, { unheld: [KEY], enter });
    conducted.ask("undo", "ops");
    const writes = writesIn("frankfurt");
    await play(ended, () => now().away?.["gateway/frankfurt"] !== undefined && isOld("tokyo"));
    expect(releasesIn("tokyo")).toEqual(old);
    expect(writesIn("frankfurt")).toBe(writes);
    expect(told().join("\n")).toContain(
      "could not be reached and is left as it stands until its lease can be had: sim/gateway in frankfurt",
    );
    isThere = true;
    watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ outcome: "undone" });
    expect(entered.at(0)).toBe(writes);
    expect(releasesIn("frankfurt")).toEqual(old);
  });

  test("writes nothing where somebody else took it meanwhile, finishes the other one, and says who", async () => {
    await orphaned();
    const enter = (_key: string, region: string): Promise<void> =>
      region === "frankfurt"
        ? Promise.reject(new UpgradeError("LEASE_HELD", "sim/gateway is held by run r9", { hint: "wait" }))
        : Promise.resolve();
    const { conducted, ended } = await begin(2, { unheld: [KEY], enter });
    conducted.ask("undo", "ops");
    const writes = writesIn("frankfurt");
    watcher.say({ state: "healthy" });
    await play(ended);
    const run = await ended;
    expect(run.phase).toMatchObject({ kind: "ended", outcome: "stranded" });
    expect(run.phase.kind === "ended" && run.phase.text).toContain("sim/gateway is held by run r9");
    expect(releasesIn("tokyo")).toEqual(old);
    expect(writesIn("frankfurt")).toBe(writes);
  });

  test("on its way forward it halts there, and does not turn back what is good", async () => {
    await orphaned();
    const enter = (_key: string, region: string): Promise<void> =>
      region === "frankfurt"
        ? Promise.reject(new UpgradeError("LEASE_HELD", "sim/gateway is held by run r9", { hint: "wait" }))
        : Promise.resolve();
    const { ended } = await begin(2, { unheld: [KEY], enter });
    watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ kind: "halted", code: "FOREIGN_CHANGE" });
    expect(releasesIn("tokyo")).toEqual(Array.from({ length: INSTANCES }, () => `${NEW.release} true 100`));
  });
});

let killed = "";
const killOne = (): void => {
  killed = places.state("tokyo").instances[0]?.id ?? "";
  places.kill(killed);
};

describe("the last comparison of an undo", () => {
  test("looks again at an instance that is unready for a moment, and does not strand", async () => {
    const { ended } = await rolled(fail, { "gateway/frankfurt:clear": killOne });
    await play(ended, () => now().phase.kind === "checking");
    await play(ended, () => {
      const { phase } = now();
      return phase.kind === "checking" && phase.differs?.["gateway/tokyo"] !== undefined;
    });
    expect(now().phase).toMatchObject({
      kind: "checking",
      differs: { "gateway/tokyo": expect.stringContaining("dead") as string },
    });
    places.revive(killed);
    watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
  });

  test("strands on one that stays unready, after the time that an undo gives instances to get ready", async () => {
    const { ended } = await rolled(fail, { "gateway/frankfurt:clear": killOne });
    await play(ended, isDone("gateway/frankfurt:clear"));
    const since = clock.now();
    await play(ended);
    const { phase } = await ended;
    expect(phase).toMatchObject({ kind: "ended", outcome: "stranded" });
    expect(phase.kind === "ended" && phase.text).toContain("gateway/tokyo is not as it was");
    expect(clock.now() - since).toBeGreaterThanOrEqual(120_000);
    expect(clock.now() - since).toBeLessThan(140_000);
  });

  test("waits for a region that nobody answers for then, and ends when it does", async () => {
    const { ended } = await rolled(fail, { "gateway/frankfurt:clear": () => places.cut("frankfurt") });
    const since = clock.now();
    await play(ended, () => clock.now() - since >= TEN_MINUTES_MS);
    expect(now().phase.kind).toBe("checking");
    expect(pager.delivered.filter(({ text }) => text.includes("cannot be reached to be compared"))).toHaveLength(1);
    places.cut("frankfurt", false);
    watcher.say({ state: "healthy" });
    await play(ended);
    expect((await ended).phase).toMatchObject({ kind: "ended", outcome: "undone" });
  });
});
