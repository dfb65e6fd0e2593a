import { afterEach, describe, expect, test } from "vitest";
import { livesOf, siteOf } from "../../src/adapters/process/site.ts";
import { processTraffic } from "../../src/adapters/process/traffic.ts";
import { processWorkload } from "../../src/adapters/process/workload.ts";
import type { Traffic } from "../../src/ports/traffic.ts";
import type { Instance, Shape, Workload } from "../../src/ports/workload.ts";
import { processPlace } from "../fakes/process-place.ts";
import { fakeWorld } from "../fakes/workload.ts";

type Release = { readonly release: string; readonly digest: string };

/** Instances that can die, and a region that can be cut off. `bad` never gets ready. */
type Place = {
  readonly workload: Workload;
  readonly traffic: Traffic;
  readonly old: Release;
  readonly fresh: Release;
  readonly bad: Release;
  kill(id: string): Promise<void>;
  cut(region: string): Promise<void>;
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function inMemory(): Promise<Place> {
  const world = fakeWorld();
  const [old, fresh, bad] = ["1.0", "2.0", "3.0"].map((version) => ({
    release: `gateway@${version}`,
    digest: `sha256:${version.repeat(3)}`,
  })) as [Release, Release, Release];
  world.spoil(bad.digest);
  return {
    workload: world.workload,
    traffic: world.traffic,
    old,
    fresh,
    bad,
    kill: async (id) => world.kill(id),
    cut: async (region) => world.cut(region),
  };
}

async function asProcesses(): Promise<Place> {
  const place = await processPlace(
    { "gateway@1.0": {}, "gateway@2.0": {}, "gateway@3.0": { neverReady: true } },
    { readyDeadlineMs: 3_000 },
  );
  cleanups.push(place.close);
  const release = (name: string): Release => ({ release: name, digest: place.digest(name) });
  return {
    workload: processWorkload(place.options),
    traffic: processTraffic(place.options),
    old: release("gateway@1.0"),
    fresh: release("gateway@2.0"),
    bad: release("gateway@3.0"),
    async kill(id) {
      const site = siteOf(place.options, "tokyo");
      const record = (await site.registry.list("tokyo")).find((one) => one.id === id);
      process.kill(record?.process?.pid ?? 0, "SIGKILL");
      await expect
        .poll(async () => (await livesOf(site, record === undefined ? [] : [record], signal))[0]?.isAlive)
        .toBe(false);
    },
    cut: async (region) => place.balancers[region]?.stop(),
  };
}

const { signal } = new AbortController();
const drain = { noticeMs: 20, deadlineMs: 1_000 };
const at = (seq: number, epoch = 1) => ({ epoch, seq });
const shape = (...releases: readonly (readonly [Release, number])[]): Shape => ({
  releases: releases.map(([release, count]) => ({ ...release, count })),
  drain,
});
const brief = (instances: readonly Instance[]): readonly string[] =>
  instances.map((one) => `${one.release}/${one.ordinal}${one.ready ? "" : " dead"} ${one.weightPct}`).toSorted();

describe.each([
  { name: "in memory", make: inMemory },
  { name: "as processes", make: asProcesses },
])("instances $name", ({ make }) => {
  test("a new release comes up in the dark beside the old one, takes traffic, and the old one leaves", async () => {
    const { workload, traffic, old, fresh } = await make();
    const first = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
    expect(brief(first.instances)).toEqual(["gateway@1.0/1 0", "gateway@1.0/2 0"]);
    await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
    const both = await workload.shape("tokyo", shape([old, 2], [fresh, 1]), at(3), signal);
    expect(brief(both.instances)).toEqual(["gateway@1.0/1 100", "gateway@1.0/2 100", "gateway@2.0/1 0"]);
    await traffic.weigh("tokyo", [{ digest: fresh.digest, admitted: 1, weightPct: 40 }], at(4), signal);
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/1 100",
      "gateway@1.0/2 100",
      "gateway@2.0/1 40",
    ]);
    const less = await workload.shape("tokyo", shape([old, 1], [fresh, 1]), at(5), signal);
    expect(brief(less.instances)).toEqual(["gateway@1.0/1 100", "gateway@2.0/1 40"]);
    expect(brief((await workload.observe("frankfurt", signal)).instances)).toEqual([]);
  });

  test("what was told twice is done once", async () => {
    const { workload, traffic, old } = await make();
    const first = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
    expect(await workload.shape("tokyo", shape([old, 2]), at(1), signal)).toEqual(first);
    const weighing = [{ digest: old.digest, admitted: 1, weightPct: 100 }];
    await traffic.weigh("tokyo", weighing, at(2), signal);
    await traffic.weigh("tokyo", weighing, at(2), signal);
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/1 100",
      "gateway@1.0/2 0",
    ]);
  });

  test("an instance of nobody's run stops everything, and is left alone", async () => {
    const { workload, old, fresh } = await make();
    await workload.shape("tokyo", shape([old, 1]), at(1), signal);
    await expect(workload.shape("tokyo", shape([fresh, 1]), at(2), signal)).rejects.toMatchObject({
      code: "FOREIGN_CHANGE",
      message: expect.stringContaining("gateway-tokyo-1.0-1"),
    });
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual(["gateway@1.0/1 0"]);
    expect(brief((await workload.shape("tokyo", shape([old, 0], [fresh, 1]), at(3), signal)).instances)).toEqual([
      "gateway@2.0/1 0",
    ]);
  });

  test("an instance that died is reported, and comes back under its name, in the dark", async () => {
    const { workload, traffic, old, kill } = await make();
    const before = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
    await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
    await kill(before.instances[0]?.id ?? "");
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/1 dead 100",
      "gateway@1.0/2 100",
    ]);
    const after = await workload.shape("tokyo", shape([old, 2]), at(3), signal);
    expect(brief(after.instances)).toEqual(["gateway@1.0/1 0", "gateway@1.0/2 100"]);
    expect(after.instances.map(({ id }) => id).toSorted()).toEqual(before.instances.map(({ id }) => id).toSorted());
  });

  test("a dead instance leaves before one that serves", async () => {
    const { workload, traffic, old, kill } = await make();
    const before = await workload.shape("tokyo", shape([old, 3]), at(1), signal);
    await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 3, weightPct: 100 }], at(2), signal);
    await kill(before.instances.find(({ ordinal }) => ordinal === 1)?.id ?? "");
    expect(brief((await workload.shape("tokyo", shape([old, 2]), at(3), signal)).instances)).toEqual([
      "gateway@1.0/2 100",
      "gateway@1.0/3 100",
    ]);
    await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], at(4), signal);
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/2 100",
      "gateway@1.0/3 0",
    ]);
  });

  test("nobody is sent to an instance that does not answer", async () => {
    const { workload, traffic, old, kill } = await make();
    const { instances } = await workload.shape("tokyo", shape([old, 2]), at(1), signal);
    await kill(instances.find(({ ordinal }) => ordinal === 2)?.id ?? "");
    const weighing = traffic.weigh("tokyo", [{ digest: old.digest, admitted: 2, weightPct: 100 }], at(2), signal);
    await expect(weighing).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("gateway-tokyo-1.0-2"),
    });
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/1 100",
      "gateway@1.0/2 dead 0",
    ]);
  });

  test("new instances are withdrawn although one of them is dead", async () => {
    const { workload, traffic, old, fresh, kill } = await make();
    const { instances } = await workload.shape("tokyo", shape([old, 1], [fresh, 2]), at(1), signal);
    await traffic.weigh(
      "tokyo",
      [
        { digest: old.digest, admitted: 1, weightPct: 100 },
        { digest: fresh.digest, admitted: 2, weightPct: 100 },
      ],
      at(2),
      signal,
    );
    await kill(instances.find(({ digest, ordinal }) => digest === fresh.digest && ordinal === 1)?.id ?? "");
    await traffic.weigh(
      "tokyo",
      [
        { digest: old.digest, admitted: 1, weightPct: 100 },
        { digest: fresh.digest, admitted: 0, weightPct: 100 },
      ],
      at(3),
      signal,
    );
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/1 100",
      "gateway@2.0/1 dead 0",
      "gateway@2.0/2 0",
    ]);
  });

  test("a release that never gets ready is told from one that does, and can be cleared away", async () => {
    const { workload, old, bad } = await make();
    await workload.shape("tokyo", shape([old, 1]), at(1), signal);
    await expect(workload.shape("tokyo", shape([old, 1], [bad, 1]), at(2), signal)).rejects.toMatchObject({
      code: "INSTANCE_NOT_READY",
      message: expect.stringContaining("gateway-tokyo-3.0-1"),
    });
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual([
      "gateway@1.0/1 0",
      "gateway@3.0/1 dead 0",
    ]);
    expect(brief((await workload.shape("tokyo", shape([old, 1], [bad, 0]), at(3), signal)).instances)).toEqual([
      "gateway@1.0/1 0",
    ]);
  });

  test("a late write of an older conductor, or of an older order, changes nothing", async () => {
    const { workload, traffic, old } = await make();
    await workload.shape("tokyo", shape([old, 1]), at(5, 2), signal);
    for (const fence of [at(9, 1), at(4, 2)]) {
      await expect(workload.shape("tokyo", shape([old, 0]), fence, signal)).rejects.toMatchObject({ code: "FENCED" });
      await expect(
        traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], fence, signal),
      ).rejects.toMatchObject({ code: "FENCED" });
    }
    expect(brief((await workload.observe("tokyo", signal)).instances)).toEqual(["gateway@1.0/1 0"]);
    await traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], at(6, 2), signal);
    await expect(workload.shape("tokyo", shape([old, 0]), at(5, 2), signal)).rejects.toMatchObject({ code: "FENCED" });
    expect(brief((await workload.shape("frankfurt", shape([old, 1]), at(1), signal)).instances)).toEqual([
      "gateway@1.0/1 0",
    ]);
  });

  test("a region without its balancer is unreachable, and the other one is not", async () => {
    const { workload, traffic, old, cut } = await make();
    await workload.shape("tokyo", shape([old, 1]), at(1), signal);
    await cut("tokyo");
    await expect(workload.observe("tokyo", signal)).rejects.toMatchObject({ code: "WORKLOAD_UNREACHABLE" });
    await expect(workload.shape("tokyo", shape([old, 2]), at(2), signal)).rejects.toMatchObject({
      code: "WORKLOAD_UNREACHABLE",
    });
    await expect(
      traffic.weigh("tokyo", [{ digest: old.digest, admitted: 1, weightPct: 100 }], at(3), signal),
    ).rejects.toMatchObject({ code: "BALANCER_UNREACHABLE" });
    expect((await workload.observe("frankfurt", signal)).instances).toEqual([]);
  });

  test("an order that was taken back before it began does nothing", async () => {
    const { workload, traffic, old } = await make();
    const reason = new Error("no longer wanted");
    const gone = AbortSignal.abort(reason);
    await expect(workload.shape("tokyo", shape([old, 1]), at(1), gone)).rejects.toBe(reason);
    await expect(workload.observe("tokyo", gone)).rejects.toBe(reason);
    await expect(traffic.weigh("tokyo", [], at(1), gone)).rejects.toBe(reason);
    expect((await workload.observe("tokyo", signal)).instances).toEqual([]);
  });
});
